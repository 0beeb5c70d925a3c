"""The events that say where requests go."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ekiben_contracts.event import Event, ModelName, Part, Utc, Version
from ekiben_contracts.models import Calibration, FeatureSpec, Method, MissingPolicy, ProblemType, Role


class RoutedVersion(Part):
    """One version behind a model's name."""

    version: Version
    url: str = Field(description="Where it answers, or the URI of a model in the gateway itself.")
    weight: int = Field(ge=0, le=10_000, description="Share of the traffic in 1/10,000.")
    role: Role = Field(description="What it is to its model.")
    signature: list[FeatureSpec] = Field(description="Its input columns.")
    calibration: Calibration | None = Field(default=None, description="Null: no intervals.")
    bento: str | None = Field(default=None, description="The immutable Bento tag, where it was packaged.")
    retired_at: Utc | None = Field(
        default=None,
        description="Since when it gets no traffic; it stays in the route while model-outputs name it.",
    )


class ModelRouted(Event):
    """The versions of a model that serve. The latest record of its key is in force."""

    type: ClassVar[str] = "ekiben.model.routed.v1"

    model: ModelName
    revision: int = Field(ge=1, description="Grows with each record of the key.")
    problem_type: ProblemType = Field(description="What the model answers.")
    classes: list[str] | None = Field(default=None, description="In the order of the model's probabilities.")
    feature_service: str | None = Field(
        default=None, description="Has the features that requests may leave out; null: none does."
    )
    versions: list[RoutedVersion] = Field(description="All that serve, shadow, or served not long ago.")
    routed_at: Utc

    @property
    def key(self) -> str:
        """model/NAME"""
        return f"model/{self.model}"


class EnsembleDefined(Event):
    """Several models that answer as one. The latest record of its key is in force."""

    type: ClassVar[str] = "ekiben.ensemble.defined.v1"

    ensemble: ModelName
    revision: int = Field(ge=1, description="Grows with each record of the key.")
    members: list[ModelName] = Field(min_length=1, description="Models, each by its own route.")
    method: Method = Field(description="How their outputs become one answer.")
    weights: dict[ModelName, float] | None = Field(
        default=None, description="Of each member, where the method needs them."
    )
    missing_policy: MissingPolicy = Field(default="any", description="Which members must answer.")
    coverage: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="What an interval is to hold of outcomes; null: as the synthesizer is set.",
    )
    defined_at: Utc

    @property
    def key(self) -> str:
        """ensemble/NAME"""
        return f"ensemble/{self.ensemble}"
