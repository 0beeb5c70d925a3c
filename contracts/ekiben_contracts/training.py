"""The events of training: what was asked, what came of it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ekiben_contracts.event import Event, Identifier, ModelName, Utc, Version
from ekiben_contracts.models import Calibration, FeatureSpec, InputExample, ProblemType


class TrainingRequested(Event):
    """A user, or the drift monitor, asks for a new version of a model."""

    type: ClassVar[str] = "ekiben.training.requested.v1"

    training_id: Identifier
    model: ModelName
    reason: str = Field(description="For people.")
    requested_by: str = Field(description="Who asked.")
    requested_at: Utc


class ModelTrained(Event):
    """A version stands in the registry, with all that serving it needs to know."""

    type: ClassVar[str] = "ekiben.model.trained.v1"

    model: ModelName
    version: Version
    model_uri: str = Field(description="In the configured MLflow registry, such as models:/name/3.")
    problem_type: ProblemType = Field(description="What the model answers.")
    signature: list[FeatureSpec] = Field(description="Its input columns.")
    classes: list[str] | None = Field(default=None, description="In the order of the model's probabilities.")
    metrics: dict[str, float] = Field(default_factory=dict, description="Of its training run, by name.")
    calibration: Calibration | None = Field(default=None, description="Null: no intervals.")
    feature_service: str | None = Field(
        default=None, description="Has the features that requests may leave out; null: none does."
    )
    input_example: InputExample = Field(description="What a new replica is compared with.")
    run_id: str = Field(description="Of MLflow.")
    trained_at: Utc


class TrainingFailed(Event):
    """A training came to nothing, and at which step."""

    type: ClassVar[str] = "ekiben.training.failed.v1"

    training_id: Identifier
    model: ModelName
    step: str = Field(description="Where it ended.")
    message: str = Field(description="For people.")
    failed_at: Utc
