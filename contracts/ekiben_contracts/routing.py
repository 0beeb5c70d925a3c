"""The events that say where requests go."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ekiben_contracts.event import Event, ModelName, Part, Utc, Version
from ekiben_contracts.models import Calibration, FeatureSpec, Method, MissingPolicy, ProblemType, Role


class RoutedVersion(Part):
    """One version behind a model's name."""

    version: Version
    url: str
    weight: int = Field(ge=0, le=10_000, description="Share of the traffic in 1/10,000.")
    role: Role
    signature: list[FeatureSpec]
    calibration: Calibration | None = None
    bento: str | None = None
    retired_at: Utc | None = Field(
        default=None,
        description="Since when it gets no traffic; it stays in the route while model-outputs name it.",
    )


class ModelRouted(Event):
    """The versions of a model that serve. The latest record of its key is in force."""

    type: ClassVar[str] = "ekiben.model.routed.v1"

    model: ModelName
    revision: int = Field(ge=1)
    problem_type: ProblemType
    classes: list[str] | None = None
    feature_service: str | None = None
    versions: list[RoutedVersion]
    routed_at: Utc

    @property
    def key(self) -> str:
        """model/NAME"""
        return f"model/{self.model}"


class EnsembleDefined(Event):
    """Several models that answer as one. The latest record of its key is in force."""

    type: ClassVar[str] = "ekiben.ensemble.defined.v1"

    ensemble: ModelName
    revision: int = Field(ge=1)
    members: list[ModelName] = Field(min_length=1)
    method: Method
    weights: dict[ModelName, float] | None = None
    missing_policy: MissingPolicy = "any"
    coverage: float | None = Field(default=None, gt=0, lt=1)
    defined_at: Utc

    @property
    def key(self) -> str:
        """ensemble/NAME"""
        return f"ensemble/{self.ensemble}"
