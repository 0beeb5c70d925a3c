"""The Predictor of a running gateway: the scoring core of the bus, asked in micro-batches over HTTP."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from ekiben_contracts.prediction import FailureCode, PredictionRequested
from ekiben_contracts.routing import ModelRouted
from ekiben_inference_gateway.admission import admit, fill_in_time
from ekiben_inference_gateway.clients import routed_endpoints
from ekiben_inference_gateway.deadlines import is_past
from ekiben_inference_gateway.handler import label_of, route
from ekiben_inference_gateway.http.core import Core
from ekiben_inference_gateway.http.microbatches import Answers, LaneBounds, Lanes
from ekiben_inference_gateway.http.predicting import BusyError, ServedModel
from ekiben_inference_gateway.http.shared_reads import SharedReads
from ekiben_inference_gateway.http.withholding import Withholding
from ekiben_inference_gateway.http.wording import (
    concluded,
    ensemble_over_http,
    no_such_version,
    not_routed,
    routes_unknown,
    unfilled,
)
from ekiben_inference_gateway.metrics import UNROUTED
from ekiben_inference_gateway.refusals import Refusal, past_deadline
from ekiben_inference_gateway.requests import Request
from ekiben_inference_gateway.routing import Choice, Endpoint, Member, Plan, Router
from ekiben_inference_gateway.scoring import Asked, Scored, score
from ekiben_serving.model_client import EndpointHealth

Answer = Scored | Refusal


class ScoringPredictor:
    """See Predictor. `on_answer` is told what became of each request, in no time."""

    def __init__(
        self,
        core: Core,
        bounds: LaneBounds,
        ids: Callable[[], str],
        on_answer: Callable[[Request, Answer], None],
    ) -> None:
        self._core = core
        self._routes = SharedReads(core.routes)
        self._lanes = Lanes(self._score, bounds)
        self._ids = ids
        self._on_answer = on_answer
        self._withholding = Withholding(core.clock)

    async def predict(
        self,
        asked: Sequence[PredictionRequested],
        *,
        version: str | None = None,
        names_entity: bool = True,
    ) -> Sequence[Answer]:
        """See Predictor.predict."""
        now = self._core.clock()
        requests = [
            Request(one.request_id or self._ids(), one, one.requested_at or now, names_entity=names_entity)
            for one in asked
        ]
        router, behind = await route({one.model for one in asked}, self._routes, self._core.static)
        admitted = [self._admit(request, router, behind, version, now) for request in requests]
        answers = await self._explain(await self._ask(admitted))
        labels = [label_of(request, router) for request in requests]
        self._core.metrics.answered(
            (label, _outcome(answer)) for label, answer in zip(labels, answers, strict=True)
        )
        for request, answer in zip(requests, answers, strict=True):
            self._on_answer(request, answer)
        return [
            self._told(label, one, answer)
            for label, one, answer in zip(labels, admitted, answers, strict=True)
        ]

    def models(self) -> Mapping[str, ServedModel]:
        """See Predictor.models."""
        router = Router(self._routes, self._core.static)
        plans = (router.plan(name) for name in router.names)
        return {plan.name: self._served(plan.members[0]) for plan in plans if plan and plan.ensemble is None}

    async def find(self, name: str, version: str | None = None) -> ServedModel | Refusal:
        """See Predictor.find."""
        router, behind = await route({name}, self._routes, self._core.static)
        plan = self._plan(name, router, behind)
        if isinstance(plan, Refusal):
            return self._withholding.refusal(UNROUTED, plan, None)
        served = self._served(plan.members[0])
        if version is None:
            return served
        choice = _version(plan, version)
        return choice if isinstance(choice, Refusal) else served._replace(choices=(choice,))

    async def health(self, model: ServedModel) -> Mapping[Endpoint, EndpointHealth]:
        """See Predictor.health."""
        clients = [self._core.clients.of(choice) for choice in model.choices]
        found = await asyncio.gather(*(client.health() for client in clients))
        return {choice.endpoint: health for choice, health in zip(model.choices, found, strict=True)}

    def _told(self, model: str, admitted: Asked | Refusal, answer: Answer) -> Answer:
        """As its caller may have it."""
        if isinstance(answer, Scored):
            return self._withholding.scored(model, answer)
        asked = admitted.choices[0].endpoint if isinstance(admitted, Asked) else None
        return self._withholding.refusal(model, answer, asked)

    def _served(self, member: Member) -> ServedModel:
        event = self._routes.get(f"model/{member.model}")
        if not isinstance(event, ModelRouted):
            return ServedModel(member.model, member.choices)
        return ServedModel(member.model, member.choices, event.problem_type, tuple(event.classes or ()))

    def _admit(
        self, request: Request, router: Router, behind: str | None, version: str | None, now: datetime
    ) -> Asked | Refusal:
        plan = self._plan(request.asked.model, router, behind)
        if isinstance(plan, Refusal):
            return plan
        admitted = admit(request, router, self._core.draw_by, now, self._core.limits.clock_skew)
        if isinstance(admitted, Refusal) or version is None:
            return admitted
        choice = _version(plan, version)
        return choice if isinstance(choice, Refusal) else replace(admitted, choices=(choice,))

    def _plan(self, name: str, router: Router, behind: str | None) -> Plan | Refusal:
        """Of a single model. `behind` says why the routes may not be known to their end."""
        plan = router.plan(name)
        if plan is None:
            unknown = not_routed(name, self._routes.get(f"model/{name}"), list(self.models()))
            return unknown if behind is None else routes_unknown(behind)
        return plan if plan.ensemble is None else ensemble_over_http(plan)

    async def _ask(self, admitted: Sequence[Asked | Refusal]) -> list[Answer]:
        """All endpoints at the same time. A busy one refuses its rows; where all are, all is refused."""
        by_endpoint: defaultdict[Endpoint, list[tuple[int, Asked]]] = defaultdict(list)
        for index, one in enumerate(admitted):
            if isinstance(one, Asked):
                by_endpoint[one.choices[0].endpoint].append((index, one))
        asking = [self._lanes.ask(where, [one for _, one in rows]) for where, rows in by_endpoint.items()]
        found = await _outcomes(asking)
        answers: list[Answer | None] = [one if isinstance(one, Refusal) else None for one in admitted]
        for rows, outcome in zip(by_endpoint.values(), found, strict=True):
            if isinstance(outcome, BaseException):
                answered = _refused(outcome, len(rows), len(admitted))
            else:
                answered = outcome
            for (index, _), answer in zip(rows, answered, strict=True):
                answers[index] = answer
        return [answer for answer in answers if answer is not None]

    async def _explain(self, answers: Sequence[Answer]) -> Sequence[Answer]:
        """Once the batch is over: nobody else waits for it. Costs nothing where nobody asked for it."""
        scored = [answer for answer in answers if isinstance(answer, Scored)]
        explained = iter(await self._core.explainer.explain(scored))
        return [next(explained) if isinstance(answer, Scored) else answer for answer in answers]

    async def _score(self, batch: Sequence[Asked]) -> Sequence[Answer]:
        """One batch of one endpoint. What waited past its deadline is not asked any more."""
        core, now = self._core, self._core.clock()
        late = [is_past(one.request.asked.deadline, now, core.limits.clock_skew) for one in batch]
        fresh = [one for one, is_late in zip(batch, late, strict=True) if not is_late]
        ask = partial(core.caller.ask, routed=routed_endpoints(core.routes, core.static))
        filled, began = await fill_in_time(fresh, core.fill, core.clock, now, core.limits.clock_skew)
        scored = iter(
            await score(
                [one for one in filled if isinstance(one, Asked)], ask, core.limits, core.paces, began
            )
        )
        answers = iter(
            [concluded(next(scored)) if isinstance(one, Asked) else unfilled(one) for one in filled]
        )
        return [
            _too_late(one, now) if is_late else next(answers)
            for one, is_late in zip(batch, late, strict=True)
        ]


async def _outcomes(
    asking: Sequence[Coroutine[object, object, Answers]],
) -> Sequence[Answers | BaseException]:
    """What each gave or raised. A single one, as most often, takes no task of its own."""
    if len(asking) != 1:
        return await asyncio.gather(*asking, return_exceptions=True)
    try:
        return [await asking[0]]
    except BusyError as error:
        return [error]


def _refused(error: BaseException, rows: int, of: int) -> Sequence[Refusal]:
    """A busy endpoint takes nothing from the rows of others; whatever else is raised is a bug."""
    if isinstance(error, BusyError) and rows < of:
        return [Refusal(FailureCode.MODEL_UNAVAILABLE, str(error))] * rows
    raise error


def _version(plan: Plan, version: str) -> Choice | Refusal:
    choices = plan.members[0].choices
    for choice in choices:
        if choice.endpoint.version == version:
            return choice
    return no_such_version(plan.name, version, [choice.endpoint.version for choice in choices])


def _too_late(asked: Asked, now: datetime) -> Refusal:
    deadline = asked.request.asked.deadline
    assert deadline is not None
    return past_deadline(deadline, now)


def _outcome(answer: Answer) -> str:
    return "scored" if isinstance(answer, Scored) else answer.code.value
