"""The events of deployment: what is wanted, and each step towards it."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from ekiben_contracts.event import Event, Identifier, ModelName, Part, Utc, Version
from ekiben_contracts.models import Method, MissingPolicy


class Strategy(StrEnum):
    """How traffic moves to a new version."""

    DIRECT = "direct"
    BLUE_GREEN = "blue_green"
    CANARY = "canary"
    SHADOW = "shadow"


class Target(StrEnum):
    """Where a Bento runs."""

    LOCAL = "local"
    DOCKER = "docker"
    KUBERNETES = "kubernetes"


class Gates(Part):
    """What a version must show before it gets more traffic."""

    min_requests: int = Field(default=1000, ge=0, description="So many it must have answered.")
    min_duration_s: float = Field(default=24 * 3600.0, ge=0, description="So long it must have been watched.")
    max_error_rate: float = Field(
        default=0.01, ge=0, le=1, description="Share of its requests that failed, at the most."
    )
    max_p99_ms: float = Field(default=150.0, gt=0, description="99 of 100 answers came within it.")


class Resources(Part):
    """What one replica may use."""

    cpu: float | None = Field(default=None, gt=0, description="cores")
    memory_mb: int | None = Field(default=None, gt=0, description="megabytes")


class DeploymentRequested(Event):
    """Somebody wants a version to serve."""

    type: ClassVar[str] = "ekiben.deployment.requested.v1"

    deployment_id: Identifier
    model: ModelName
    version: Version
    environment: str = Field(
        default="local", description="In production no stage is skipped; any other name is yours."
    )
    strategy: Strategy = Field(default=Strategy.DIRECT, description="How traffic moves to it.")
    steps: list[int] | None = Field(default=None, description="Percent of traffic, one canary step each.")
    gates: Gates | None = Field(
        default=None, description="What it must show first; null: the deployer's own."
    )
    replicas: int = Field(default=1, ge=1, description="How many processes answer.")
    resources: Resources | None = Field(default=None, description="What one replica may use; null: no limit.")
    target: Target = Field(default=Target.LOCAL, description="Where its Bento runs.")
    feature_service: str | None = Field(
        default=None,
        min_length=1,
        description="Has the features that requests may leave out. Null: as it was trained, or routed, with.",
    )
    requested_by: str = Field(description="Who asked.")


class DeploymentRollbackRequested(Event):
    """Somebody wants the version before the current one back."""

    type: ClassVar[str] = "ekiben.deployment.rollback-requested.v1"

    deployment_id: Identifier
    model: ModelName
    reason: str = Field(description="For people.")
    requested_by: str = Field(description="Who asked.")


class DeploymentRetireRequested(Event):
    """Somebody wants a version to stop."""

    type: ClassVar[str] = "ekiben.deployment.retire-requested.v1"

    deployment_id: Identifier
    model: ModelName
    version: Version
    reason: str = Field(description="For people.")
    requested_by: str = Field(description="Who asked.")


class EnsembleRequested(Event):
    """Somebody wants several models to answer as one."""

    type: ClassVar[str] = "ekiben.ensemble.requested.v1"

    deployment_id: Identifier
    model: ModelName = Field(description="The name of the ensemble.")
    members: list[ModelName] = Field(min_length=1, description="Models, each by its own route.")
    method: Method = Field(default=Method.AVERAGE, description="How their outputs become one answer.")
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
    requested_by: str = Field(description="Who asked.")


class Step(StrEnum):
    """The steps of a deployment, in order; the last three end it."""

    PLANNED = "planned"
    PACKAGED = "packaged"
    STARTED = "started"
    WARMED_UP = "warmed_up"
    ROUTED = "routed"
    PROMOTED = "promoted"
    RETIRED = "retired"
    COMPLETED = "completed"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"

    @property
    def is_last(self) -> bool:
        """Whether nothing follows: the deployment has ended, well or not."""
        return self in (Step.COMPLETED, Step.ROLLED_BACK, Step.FAILED)


class DeploymentProgressed(Event):
    """One step of a deployment was done, and why."""

    type: ClassVar[str] = "ekiben.deployment.progressed.v1"

    deployment_id: Identifier
    model: ModelName
    version: Version | None = Field(description="Null for an ensemble.")
    step: Step = Field(description="What was done.")
    reason: str = Field(description="Why, for people.")
    bento: str | None = Field(default=None, description="The immutable Bento tag, once packaged.")
    url: str | None = Field(default=None, description="Where it listens, once started.")
    at: Utc
