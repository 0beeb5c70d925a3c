"""Asking the models what moved their outputs, for those requests of a batch that want to know.

A call of its own after scoring; its failure costs the explanation alone. Requests that share the batch wait
for it too, within its budget. It moves neither outages, nor paces, nor breakers of predictions, nor what is
reported of an endpoint's health.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Protocol

from msgspec.structs import replace

from ekiben_inference_gateway.calling import Clients
from ekiben_inference_gateway.deadlines import budget_s
from ekiben_inference_gateway.explanations import Explanations
from ekiben_inference_gateway.gathering import every
from ekiben_inference_gateway.routing import Choice, Endpoint
from ekiben_inference_gateway.scoring import Asked, Scored
from ekiben_serving.errors import ModelClientError
from ekiben_serving.model_client import Explanation
from ekiben_serving.validation import RowError

EXPLAINED = "explained"
Found = Explanation | str
"""An explanation, or why there is none."""


class CountsExplaining(Protocol):
    """Told of each call."""

    def explaining(self, endpoint: Endpoint, seconds: float, outcome: str) -> None: ...


@dataclass(frozen=True, slots=True)
class ExplainLimits:
    """What one batch may ask of one endpoint, and how far producers' clocks may be off."""

    rows: int
    budget_s: float
    clock_skew: timedelta


class Explainer:
    """Asks each endpoint once a batch, all at the same time."""

    def __init__(
        self,
        clients: Clients,
        limits: ExplainLimits,
        metrics: CountsExplaining,
        clock: Callable[[], datetime],
        timer: Callable[[], float] = perf_counter,
    ) -> None:
        self._clients = clients
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._timer = timer

    async def explain(self, scored: Sequence[Scored]) -> Sequence[Scored]:
        """The same, those that asked for it with explanations. Costs one look at each where nobody did."""
        wanted = [place for place, one in enumerate(scored) if one.asked.request.asked.explain]
        if not wanted:
            return scored
        found = await self._ask_all(wanted_by_endpoint(scored, wanted), scored)
        explained = list(scored)
        for place in wanted:
            explained[place] = replace(scored[place], explanations=_explanations(found[place]))
        return explained

    async def _ask_all(
        self, groups: Sequence[tuple[Choice, Sequence[int]]], scored: Sequence[Scored]
    ) -> Mapping[int, Mapping[str, Found]]:
        answers = await every(
            self._ask(choice, [scored[place].asked for place in places]) for choice, places in groups
        )
        found: dict[int, dict[str, Found]] = defaultdict(dict)
        for (choice, places), answer in zip(groups, answers, strict=True):
            for place, one in zip(places, answer, strict=True):
                found[place][choice.endpoint.model] = one
        return found

    async def _ask(self, choice: Choice, asked: Sequence[Asked]) -> Sequence[Found]:
        most = self._limits.rows
        some = asked[:most]
        found = await self._ask_some(choice, some) if some else []
        return [*found, *[_beyond(most, len(asked))] * (len(asked) - len(some))]

    async def _ask_some(self, choice: Choice, asked: Sequence[Asked]) -> Sequence[Found]:
        limits, began = self._limits, self._timer()
        deadlines = (one.request.asked.deadline for one in asked)
        budget = budget_s(deadlines, self._clock(), limits.clock_skew, limits.budget_s)
        try:
            answers = await self._clients.of(choice).explain_batch(
                [one.features for one in asked], budget_s=budget
            )
        except ModelClientError as error:
            self._metrics.explaining(choice.endpoint, self._timer() - began, error.kind)
            return [str(error)] * len(asked)
        self._metrics.explaining(choice.endpoint, self._timer() - began, EXPLAINED)
        return [answer.message if isinstance(answer, RowError) else answer for answer in answers]


def wanted_by_endpoint(
    scored: Sequence[Scored], wanted: Sequence[int]
) -> Sequence[tuple[Choice, Sequence[int]]]:
    """Which requests each version is asked about: those to which it gave an output."""
    groups: dict[Endpoint, tuple[Choice, list[int]]] = {}
    for place in wanted:
        answered = {output.model for output in scored[place].outputs}
        for choice in scored[place].asked.choices:
            if choice.endpoint.model in answered:
                groups.setdefault(choice.endpoint, (choice, []))[1].append(place)
    return list(groups.values())


def _beyond(most: int, asked: int) -> str:
    if most == 0:
        return "expected explanations, found that this gateway gives none. Set EKIBEN_GATEWAY_EXPLAIN_ROWS."
    return f"expected at most {most} requests to explain in a batch, found {asked}. Send fewer."


def _explanations(found: Mapping[str, Found]) -> Explanations:
    return Explanations(
        {model: one.attributions for model, one in found.items() if isinstance(one, Explanation)},
        {model: one for model, one in found.items() if isinstance(one, str)},
    )
