"""What is sent and answered over HTTP, beside problems."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from ekiben_contracts.event import Identifier, ModelName, Part, Version
from ekiben_contracts.health import BreakerState
from ekiben_contracts.models import FeatureSpec, ProblemType, Role
from ekiben_inference_gateway.http.predicting import ServedModel
from ekiben_inference_gateway.http.problems import Problem
from ekiben_inference_gateway.routing import Choice, Endpoint
from ekiben_inference_gateway.scoring import Scored
from ekiben_serving.model_client import EndpointHealth


class Prediction(Part):
    """What a model answered. Intervals, confidence and ensembles are the bus's."""

    request_id: Identifier
    model: ModelName
    version: Version
    role: Role
    entity_id: Identifier
    time_horizon: str
    prediction: float = Field(
        description="Of a classifier: the probability of the positive or winning class."
    )
    label: str | None = None
    probabilities: dict[str, float] | None = None
    latency_ms: float = Field(description="Of the call to the model.")


class Explanation(Prediction):
    """What a model answered, and how much each feature moved it."""

    attributions: dict[str, float] = Field(description="By feature, in the units of the prediction.")


class BatchAnswer(Part):
    """One row of a batch: its prediction or its problem."""

    index: int = Field(description="Of the row as it was sent, from 0.")
    prediction: Prediction | None = None
    problem: Problem | None = None


class BatchAnswers(Part):
    """Every row of a batch, in order."""

    answered: int
    refused: int
    results: list[BatchAnswer]


class ServedVersion(Part):
    """A version that takes traffic, and which share of it."""

    version: Version
    role: Role
    weight: int = Field(description="Share of the traffic in 1/10,000.")
    signature: list[FeatureSpec]


class Model(Part):
    """A single model that can be asked."""

    name: ModelName
    problem_type: ProblemType | None = None
    classes: list[str] | None = None
    versions: list[ServedVersion]


class Models(Part):
    """Everything that can be asked over HTTP now."""

    models: list[Model]


class EndpointStatus(Part):
    """Whether one endpoint would answer now, and if not, why."""

    version: Version
    url: str
    ready: bool
    breaker: BreakerState
    detail: str = ""


class ModelHealth(Part):
    """Every endpoint behind a model. It is ready while one of them is."""

    model: ModelName
    ready: bool
    endpoints: list[EndpointStatus]


def prediction_of(scored: Scored) -> Prediction:
    """The answer of the one model of a plan."""
    return Prediction.assemble(prediction_fields(scored))


def prediction_fields(scored: Scored) -> dict[str, object]:
    """Every field of a Prediction, each validated where it came from."""
    (output,), request = scored.outputs, scored.asked.request
    return {
        "request_id": request.id,
        "model": output.model,
        "version": output.version,
        "role": output.role,
        "entity_id": request.asked.entity_id,
        "time_horizon": request.asked.time_horizon,
        "prediction": output.value,
        "label": output.label,
        "probabilities": output.probabilities,
        "latency_ms": output.latency_ms,
    }


def model_of(served: ServedModel) -> Model:
    """What can be said of a model without asking it."""
    starts = [0, *(choice.end for choice in served.choices)]
    versions = [_version(choice, start) for choice, start in zip(served.choices, starts, strict=False)]
    return Model(
        name=served.name,
        problem_type=served.problem_type,
        classes=list(served.classes) or None,
        versions=versions,
    )


def health_of(model: str, found: Sequence[tuple[Endpoint, EndpointHealth]]) -> ModelHealth:
    """What the endpoints of a model said."""
    endpoints = [
        EndpointStatus(
            version=endpoint.version,
            url=endpoint.url,
            ready=health.ready,
            breaker=health.breaker,
            detail=health.detail,
        )
        for endpoint, health in found
    ]
    return ModelHealth(model=model, ready=any(one.ready for one in endpoints), endpoints=endpoints)


def _version(choice: Choice, start: int) -> ServedVersion:
    return ServedVersion(
        version=choice.endpoint.version,
        role=choice.role,
        weight=choice.end - start,
        signature=list(choice.signature),
    )
