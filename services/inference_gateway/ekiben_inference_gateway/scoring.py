"""The scoring core: requests and their plans in, each member's output or gap out.

It knows no Kafka, so that other transports can share it. All bodies of a batch are asked at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from msgspec import Struct

from ekiben_contracts.event import FeatureValue
from ekiben_contracts.lean import OUTPUT
from ekiben_contracts.prediction import FailureCode, Output
from ekiben_inference_gateway.batching import Group, groups
from ekiben_inference_gateway.deadlines import budget_s
from ekiben_inference_gateway.explanations import Explanations
from ekiben_inference_gateway.gathering import every
from ekiben_inference_gateway.pacing import Pace, Paces
from ekiben_inference_gateway.policies import Gap
from ekiben_inference_gateway.requests import Request
from ekiben_inference_gateway.routing import Choice, Plan
from ekiben_serving.model_client import Features


class Asked(Struct, frozen=True, gc=False):
    """A request on its way to the models, with the version drawn for each member of its plan."""

    request: Request
    plan: Plan
    features: dict[str, FeatureValue]
    choices: tuple[Choice, ...]


class Scored(Struct, frozen=True, gc=False):
    """What the members of one request's plan answered, in the order of the plan."""

    asked: Asked
    outputs: list[Output]
    gaps: list[Gap]
    explanations: Explanations | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the calls of a batch may take, and how far producers' clocks may be off."""

    call_budget_s: float
    clock_skew: timedelta


Ask = Callable[[Choice, Sequence[Features], float], Awaitable[Sequence[Output | Gap]]]
"""Asks a version about rows, within seconds: one output or gap for each."""
Slots = list[list[Output | Gap | None]]


async def score(
    batch: Sequence[Asked], ask: Ask, limits: Limits, paces: Paces, now: datetime
) -> list[Scored]:
    """Ask every model of the batch, all at the same time, and sort the answers by request."""
    drawn = ((r, m, choice) for r, asked in enumerate(batch) for m, choice in enumerate(asked.choices))
    slots: Slots = [[None] * len(asked.choices) for asked in batch]
    asking = Asking(batch, ask, limits, now, slots)
    flows = [
        asking.about(group, pace)
        for group in groups(drawn)
        for pace in (paces.of(group.choice.endpoint),)
        for _ in range(min(paces.calls_more(group.choice.endpoint), -(-len(group) // pace.rows)))
    ]
    await every(flows)
    return [_scored(asked, found) for asked, found in zip(batch, slots, strict=True)]


class Asking:
    """The calls about one batch, within its budget. `slots` is where the answers go."""

    def __init__(self, batch: Sequence[Asked], ask: Ask, limits: Limits, now: datetime, slots: Slots) -> None:
        self._batch = batch
        self._ask = ask
        self._limits = limits
        self._now = now
        self._slots = slots

    async def about(self, group: Group, pace: Pace) -> None:
        """Cut bodies off a group, one after the other as the endpoint takes them.

        What its turn has not come for within the budget is a gap: the endpoint is well, and not asked
        with less time than it needs; but the others of the batch have waited for it long enough.
        """
        began, spent, most = monotonic(), 0.0, self._limits.call_budget_s
        while places := group.take(pace.rows):
            asking = [self._batch[request] for request, _ in places]
            if spent < most:
                deadlines = (asked.request.asked.deadline for asked in asking)
                now = self._now + timedelta(seconds=spent)
                budget = budget_s(deadlines, now, self._limits.clock_skew, most)
                answers = await self._ask(group.choice, [asked.features for asked in asking], budget)
            else:
                answers = [too_slow(group.choice, most)] * len(places)
            for (request, member), answer in zip(places, answers, strict=True):
                self._slots[request][member] = answer
            spent = monotonic() - began


def too_slow(choice: Choice, budget: float) -> Gap:
    """What had no turn: its endpoint is well, and the others of its batch have waited long enough."""
    return Gap(
        choice.endpoint.model,
        FailureCode.MODEL_UNAVAILABLE,
        f"expected its turn at {choice.endpoint.url} within {budget:.3g} s, found its batch still there",
        choice.endpoint,
    )


def _scored(asked: Asked, answers: Sequence[Output | Gap | None]) -> Scored:
    outputs = [answer for answer in answers if isinstance(answer, OUTPUT)]
    if len(outputs) == len(answers) and not asked.plan.absent:
        return Scored(asked, outputs, [])
    gaps = [answer for answer in answers if isinstance(answer, Gap)]
    gaps += [
        Gap(model, FailureCode.UNKNOWN_MODEL, f"no route gives traffic to {model}")
        for model in asked.plan.absent
    ]
    return Scored(asked, outputs, gaps)
