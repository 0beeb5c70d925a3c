"""The events of a prediction, from the request to what really happened."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ekiben_contracts.event import Event, FeatureValue, Identifier, Json, ModelName, Part, Utc, Version
from ekiben_contracts.expecting import Expecting
from ekiben_contracts.models import Method, Role
from ekiben_contracts.sensitive import SENSITIVE, SENSITIVE_BY_FEATURE


class PredictionRequested(Event):
    """A user asks a model or an ensemble about one entity."""

    type: ClassVar[str] = "ekiben.prediction.requested.v1"
    is_quick: ClassVar[bool] = True

    request_id: Identifier | None = Field(
        default=None,
        description="Globally unique; using it again means the same request. Missing, it is the ce_id; "
        "missing too, topic-partition-offset of the record.",
    )
    model: ModelName
    entity_id: Identifier
    features: dict[str, FeatureValue] | None = Field(
        default=None,
        description="Null: the feature store of the model's route is asked.",
        json_schema_extra=SENSITIVE_BY_FEATURE,
    )
    time_horizon: str = Field(
        default="short_term",
        description="Which of a model's horizons is meant; a signature may have it as a column.",
    )
    explain: bool = Field(default=False, description="Whether the answer is to say what each feature added.")
    context: bool = Field(default=False, description="Whether context is wanted too; none is given yet.")
    requested_at: Utc | None = Field(default=None, description="Missing, it is the timestamp of the record.")
    deadline: Utc | None = Field(
        default=None, description="After it no prediction is wanted; null: whenever it comes."
    )


class Output(Part):
    """What one version of one model answered."""

    model: ModelName
    version: Version
    role: Role = Field(
        default=Role.CHAMPION, description="What the version was to its model when it answered."
    )
    value: float = Field(
        description="Of a classifier: the probability of its positive, else of its winning class."
    )
    label: str | None = Field(default=None, description="Of a classifier: the winning class.")
    probabilities: dict[str, float] | None = Field(default=None, description="Of a classifier: by class.")
    latency_ms: float = Field(description="Of the call that answered.")


class Missing(Part):
    """A member of an ensemble that did not answer."""

    model: ModelName
    reason: str = Field(description="A stable code, such as model_unavailable.")
    detail: str = Field(default="", description="The same for people.")


class ModelsScored(Event):
    """Every output for one request, with the combination that was in force when it was scored."""

    type: ClassVar[str] = "ekiben.models.scored.v1"
    is_quick: ClassVar[bool] = True

    request_id: Identifier
    model: ModelName
    entity_id: Identifier
    time_horizon: str = Field(description="As it was requested.")
    context: bool = Field(default=False, description="Whether context is wanted too; none is given yet.")
    requested_at: Utc
    deadline: Utc | None = None
    revision: int | None = Field(default=None, description="Of the ensemble; null for a single model.")
    method: Method = Field(default=Method.SINGLE, description="How the outputs become one answer.")
    weights: dict[ModelName, float] | None = Field(
        default=None, description="Of each member, where the method needs them."
    )
    coverage: float | None = Field(
        default=None,
        description="What an interval is to hold of outcomes; null: as the synthesizer is set.",
    )
    calibrations: dict[ModelName, str] = Field(
        default_factory=dict, description="Calibration id of each member."
    )
    outputs: list[Output] = Field(description="Of every member that answered.")
    missing: list[Missing] = Field(default_factory=list[Missing], description="The members that did not.")
    features: dict[str, FeatureValue] | None = Field(
        default=None,
        json_schema_extra=SENSITIVE_BY_FEATURE,
        description="What was scored: as requested, and filled from the feature store.",
    )
    explanations: dict[ModelName, dict[str, float]] | None = Field(
        default=None,
        description="Of each member: what each feature added to its value.",
        json_schema_extra=SENSITIVE_BY_FEATURE,
    )
    unexplained: dict[ModelName, str] | None = Field(
        default=None, description="Why a member has no explanation, where one was asked for."
    )


class ModelsShadowed(Event):
    """What a shadow version answered beside the version that served, for the same request."""

    type: ClassVar[str] = "ekiben.models.shadowed.v1"

    request_id: Identifier
    model: ModelName = Field(description="Of an ensemble's request: the member that it shadows.")
    version: Version = Field(description="The shadow version, whether or not it answered.")
    entity_id: Identifier
    status: Literal["answered", "failed", "skipped"] = Field(
        description="Skipped: it was not asked, since shadow scoring was too far behind."
    )
    champion: Output = Field(description="What served, with the role that it had.")
    shadow: Output | None = Field(description="Null where it did not answer.")
    error: str | None = Field(default=None, description="Why it did not answer: a code and the detail.")
    difference: float | None = Field(default=None, description="shadow.value - champion.value")


class Interval(Part):
    """A prediction interval and the share of outcomes it is to hold."""

    low: float = Field(description="Lower end.")
    high: float = Field(description="Upper end.")
    coverage: float = Field(gt=0, lt=1, description="Share of outcomes that it is to hold.")


class PredictionCompleted(Event):
    """The answer to a request. A reader that drops equal ce_ids sees one terminal event per request."""

    type: ClassVar[str] = "ekiben.prediction.completed.v1"

    status: Literal["completed"] = Field(default="completed", description="Tells it from prediction.failed.")
    late: bool = Field(default=False, description="It was ready only after the deadline.")
    request_id: Identifier
    model: ModelName
    entity_id: Identifier
    time_horizon: str = Field(description="As it was requested.")
    prediction: float = Field(
        description="Of a classifier: the probability of the positive or winning class."
    )
    label: str | None = Field(default=None, description="Of a classifier: the winning class.")
    probabilities: dict[str, float] | None = Field(default=None, description="Of a classifier: by class.")
    interval: Interval | None = Field(default=None, description="Null where a member has no calibration.")
    confidence: float = Field(
        ge=0, le=1, description="How far to trust the answer: a score to sort by, not a probability."
    )
    agreement: float | None = Field(
        default=None, ge=0, le=1, description="How far the members agree; null where one answered."
    )
    method: Method = Field(description="How the outputs became this answer.")
    outputs: list[Output] = Field(description="Of every member that answered.")
    missing: list[Missing] = Field(default_factory=list[Missing], description="The members that did not.")
    explanation: dict[str, float] | None = Field(
        default=None,
        description="What each feature added to the prediction: the mean over the members, by their weights.",
        json_schema_extra=SENSITIVE_BY_FEATURE,
    )
    unexplained: dict[ModelName, str] | None = Field(
        default=None,
        description="Why the explanation lacks a member, where one was asked for; all of them: it is null.",
    )
    context: dict[str, Json] | None = Field(
        default=None,
        json_schema_extra=SENSITIVE,
        description="What surrounds the prediction; null so far.",
    )
    latency_ms: float = Field(description="From requested_at to completed_at.")
    completed_at: Utc


class FailureCode(StrEnum):
    """Why a request has no prediction. Stable: clients may switch on it."""

    INVALID_REQUEST = "invalid_request"
    UNKNOWN_MODEL = "unknown_model"
    MISSING_FEATURES = "missing_features"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    MODEL_UNAVAILABLE = "model_unavailable"
    INSUFFICIENT_MODELS = "insufficient_models"
    INTERNAL = "internal"

    @property
    def is_plain_answer(self) -> bool:
        """A plain answer has no dead letter: a replay of the same bytes would fail the same way."""
        return self in (FailureCode.INVALID_REQUEST, FailureCode.DEADLINE_EXCEEDED)


class PredictionFailed(Event):
    """The answer to a request that could not be predicted: what was expected, found, and to try."""

    type: ClassVar[str] = "ekiben.prediction.failed.v1"

    status: Literal["failed"] = Field(default="failed", description="Tells it from prediction.completed.")
    request_id: Identifier
    model: str | None = Field(description="As the request named it; null where it named none.")
    entity_id: str | None = Field(description="As the request named it; null where it named none.")
    code: FailureCode = Field(description="Why. Stable: clients may switch on it.")
    message: str = Field(description="For people: what was expected, what was found, what to try.")
    retryable: bool = Field(description="The same request, unchanged, may succeed later.")
    dead_letter: str | None = Field(default=None, description="The id to replay, once what failed is mended.")
    failed_at: Utc


class PredictionOutcomeObserved(Event):
    """What really happened, once it is known."""

    type: ClassVar[str] = "ekiben.prediction.outcome-observed.v1"

    request_id: Identifier
    model: ModelName
    entity_id: Identifier
    outcome: Annotated[float | str, Expecting("a finite number or a label")] = Field(
        json_schema_extra=SENSITIVE, description="A number, or the label of a class."
    )
    observed_at: Utc
