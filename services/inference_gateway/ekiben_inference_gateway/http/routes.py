"""The routes of version 1. Each lets its caller in, reads a body, asks the predictor, and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from ekiben_contracts.access import Scope
from ekiben_contracts.event import Part
from ekiben_contracts.prediction import PredictionRequested
from ekiben_inference_gateway.http import openapi
from ekiben_inference_gateway.http.access.gate import Gate
from ekiben_inference_gateway.http.aside import Aside
from ekiben_inference_gateway.http.asking import Ids, read_batch, read_request
from ekiben_inference_gateway.http.bodies import JSON, BodyLimits, read_json
from ekiben_inference_gateway.http.documents import (
    BatchAnswer,
    BatchAnswers,
    Explanation,
    Models,
    health_of,
    model_of,
    prediction_fields,
    prediction_of,
)
from ekiben_inference_gateway.http.predicting import BusyError, Predictor
from ekiben_inference_gateway.http.problems import (
    Problem,
    ProblemError,
    TransportCode,
    busy,
    problem,
    refused,
)
from ekiben_inference_gateway.http.wording import unexplained
from ekiben_inference_gateway.refusals import Refusal
from ekiben_inference_gateway.scoring import Scored

ModelName = Annotated[str, Path(examples=[openapi.EXAMPLE["model"]])]
"""In a path."""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """How much one request may bring."""

    body: BodyLimits
    rows: int
    features: int


@dataclass(frozen=True, slots=True)
class Routes:
    """The handlers. `ids` names requests that bring no request_id."""

    predictor: Predictor
    gate: Gate
    limits: RequestLimits
    aside: Aside
    ids: Ids

    async def predict(self, request: Request) -> Response:
        """Ask a single model about one entity."""
        await self.gate.admit(request, Scope.PREDICT)
        asked = await self._read_one(request, explain=False)
        return _answer(prediction_of(await self._one(asked)))

    async def explain(self, request: Request) -> Response:
        """The same, with how much each feature moved the answer, by the model's own explainer."""
        await self.gate.admit(request, Scope.EXPLAIN)
        asked = await self._read_one(request, explain=True)
        return _answer(_explanation(await self._one(asked)))

    async def predict_batch(self, request: Request) -> Response:
        """Ask about many entities. A bad row has its problem in its place; the others are answered."""
        caller = await self.gate.admit(request, Scope.PREDICT)
        body, limits = await self._body(request), self.limits
        reading = partial(read_batch, body, limits.rows, limits.features, self.ids)
        rows = await self.aside.read(len(body), reading)
        self.gate.count_more(caller, len(rows))
        good = [row for row in rows if isinstance(row, PredictionRequested)]
        answers = iter(await self._ask(good))
        results = [
            _result(index, row, next(answers) if isinstance(row, PredictionRequested) else row)
            for index, row in enumerate(rows)
        ]
        answered = sum(result.prediction is not None for result in results)
        return _answer(BatchAnswers(answered=answered, refused=len(results) - answered, results=results))

    async def models(self, request: Request) -> Response:
        """Every single model that takes traffic, with its versions and their signatures."""
        await self.gate.admit(request, Scope.PREDICT)
        return _answer(Models(models=[model_of(served) for served in self.predictor.models().values()]))

    async def health(self, request: Request, model: ModelName) -> Response:
        """Every endpoint behind a model, asked now. It tells addresses, so it needs the scope admin."""
        await self.gate.admit(request, Scope.ADMIN)
        served = await self.predictor.find(model)
        if isinstance(served, Refusal):
            raise refused(served)
        found = await self.predictor.health(served)
        return _answer(health_of(model, list(found.items())))

    async def _read_one(self, request: Request, *, explain: bool) -> PredictionRequested:
        body = await self._body(request)
        reading = partial(read_request, body, self.limits.features, self.ids, explain=explain)
        return await self.aside.read(len(body), reading)

    async def _body(self, request: Request) -> bytes:
        return await read_json(request, self.limits.body)

    async def _one(self, asked: PredictionRequested) -> Scored:
        (answer,) = await self._ask([asked])
        if isinstance(answer, Refusal):
            raise refused(answer, asked.request_id)
        return answer

    async def _ask(self, asked: Sequence[PredictionRequested]) -> Sequence[Scored | Refusal]:
        try:
            return await self.predictor.predict(asked)
        except BusyError as error:
            raise busy(error) from error


def _answer(document: Part) -> Response:
    return Response(document.__pydantic_serializer__.to_json(document), media_type=JSON)


def _explanation(scored: Scored) -> Explanation:
    model, found = scored.asked.plan.name, scored.explanations
    attributions = None if found is None else found.attributions.get(model)
    if attributions is None:
        reason = "no explainer was asked" if found is None else found.reasons.get(model, "none was given")
        raise ProblemError(
            TransportCode.UNEXPLAINED, unexplained(model, reason), request_id=scored.asked.request.id
        )
    return Explanation.assemble({**prediction_fields(scored), "attributions": dict(attributions)})


def _result(
    index: int, row: PredictionRequested | Problem, answer: Scored | Refusal | Problem
) -> BatchAnswer:
    if isinstance(answer, Scored):
        return BatchAnswer.assemble({"index": index, "prediction": prediction_of(answer), "problem": None})
    if isinstance(answer, Refusal):
        request_id = row.request_id
        answer = problem(answer.code, answer.message, request_id)
    return BatchAnswer(index=index, problem=answer)
