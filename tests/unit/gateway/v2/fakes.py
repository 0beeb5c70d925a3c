"""A predictor that answers from its rows, for the routes to stand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ekiben_contracts.health import BreakerState
from ekiben_contracts.models import DType, FeatureSpec, ProblemType, Role
from ekiben_contracts.prediction import FailureCode, Output, PredictionRequested
from ekiben_inference_gateway.http.predicting import ServedModel
from ekiben_inference_gateway.refusals import Refusal
from ekiben_inference_gateway.requests import Request
from ekiben_inference_gateway.routing import SLOTS, Choice, Endpoint, Member, Plan
from ekiben_inference_gateway.scoring import Asked, Scored
from ekiben_serving.model_client import EndpointHealth
from ekiben_serving.validation import Signature

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SIGNATURE = (
    FeatureSpec(name="distance", dtype=DType.DOUBLE),
    FeatureSpec(name="carrier", dtype=DType.STRING),
    FeatureSpec(name="seats", dtype=DType.LONG, required=False),
)
NUMBERS = (SIGNATURE[0], SIGNATURE[2])


def served(name="delay", versions=("1",), signature=SIGNATURE, **rest):
    choices = [
        Choice(
            Endpoint(name, version, f"http://127.0.0.1:300{version}"), SLOTS, Role.CHAMPION, signature, None
        )
        for version in versions
    ]
    told = {"problem_type": ProblemType.CLASSIFICATION, "classes": ("on_time", "late"), **rest}
    return ServedModel(name, tuple(choices), **told)


MINUTES = served("minutes", signature=NUMBERS, problem_type=ProblemType.REGRESSION, classes=())


@dataclass
class FakePredictor:
    """Late are those that fly far. Rows alternate between the versions, as in a canary."""

    served: Mapping[str, ServedModel] = field(
        default_factory=lambda: {one.name: one for one in (served(), served("both", ("1", "2")), MINUTES)}
    )
    asked: list[PredictionRequested] = field(default_factory=list)
    away: set[str] = field(default_factory=set)
    failure: Exception | None = None
    refusal: Refusal | None = None

    async def find(self, name: str, version: str | None = None) -> ServedModel | Refusal:
        model = self.served.get(name)
        if model is None:
            return Refusal(FailureCode.UNKNOWN_MODEL, f"expected a model that takes traffic, found {name!r}")
        choices = tuple(one for one in model.choices if version in (None, one.endpoint.version))
        if not choices:
            return Refusal(FailureCode.UNKNOWN_MODEL, f"expected a version of {name}, found {version!r}")
        return model._replace(choices=choices)

    async def predict(
        self,
        asked: Sequence[PredictionRequested],
        *,
        version: str | None = None,
        names_entity: bool = True,
    ) -> Sequence[Scored | Refusal]:
        if self.failure is not None:
            raise self.failure
        self.asked += asked
        if self.refusal is not None:
            return [self.refusal] * len(asked)
        model = await self.find(asked[0].model, version)
        assert isinstance(model, ServedModel)
        return [self._answer(place, one, model) for place, one in enumerate(asked)]

    def models(self) -> Mapping[str, ServedModel]:
        return self.served

    async def health(self, model: ServedModel) -> Mapping[Endpoint, EndpointHealth]:
        return {
            one.endpoint: EndpointHealth(
                one.endpoint.version not in self.away, BreakerState.CLOSED, "connection refused"
            )
            for one in model.choices
        }

    def _answer(self, place: int, one: PredictionRequested, model: ServedModel) -> Scored | Refusal:
        choice = model.choices[place % len(model.choices)]
        assert one.features is not None
        error = Signature(choice.signature).check(one.features)
        if error is not None:
            return Refusal(FailureCode(error.code), error.message)
        p = min(1.0, float(one.features["distance"] or 0) / 4000)
        told = (
            {"label": "late" if p >= 0.5 else "on_time", "probabilities": {"on_time": 1 - p, "late": p}}
            if model.classes
            else {}
        )
        output = Output(model=model.name, version=choice.endpoint.version, value=p, latency_ms=1.0, **told)
        request = Request(one.request_id or f"made-{place}", one, NOW)
        plan = Plan(model.name, (Member(model.name, model.choices),))
        return Scored(Asked(request, plan, one.features, (choice,)), [output], [])
