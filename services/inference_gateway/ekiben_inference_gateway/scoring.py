"""The scoring core: requests and their plans in, each member's output or gap out.

It knows no Kafka, so that other transports can share it. All bodies of a batch are asked at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from ekiben_contracts.prediction import FailureCode, Output
from ekiben_inference_gateway.batching import Body, bodies
from ekiben_inference_gateway.deadlines import budget_s
from ekiben_inference_gateway.policies import Gap
from ekiben_inference_gateway.requests import Request
from ekiben_inference_gateway.routing import Choice, Plan
from ekiben_serving.model_client import Features


class Asked(NamedTuple):
    """A request on its way to the models, with the version drawn for each member of its plan."""

    request: Request
    plan: Plan
    features: Features
    choices: tuple[Choice, ...]


class Scored(NamedTuple):
    """What the members of one request's plan answered, in the order of the plan."""

    asked: Asked
    outputs: list[Output]
    gaps: list[Gap]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much goes into one call, and how long it may take."""

    rows_per_call: int
    call_budget_s: float
    clock_skew: timedelta


Ask = Callable[[Choice, Sequence[Features], float], Awaitable[Sequence[Output | Gap]]]
"""Asks a version about rows, within seconds: one output or gap for each."""


async def score(batch: Sequence[Asked], ask: Ask, limits: Limits, now: datetime) -> list[Scored]:
    """Ask every model of the batch, all at the same time, and sort the answers by request."""
    drawn = ((r, m, choice) for r, asked in enumerate(batch) for m, choice in enumerate(asked.choices))
    asks = list(bodies(drawn, limits.rows_per_call))
    answers = await asyncio.gather(
        *(_ask(body, batch, ask, limits, now) for body in asks), return_exceptions=True
    )
    slots: list[list[Output | Gap | None]] = [[None] * len(asked.choices) for asked in batch]
    for body, found in zip(asks, answers, strict=True):
        if isinstance(found, BaseException):
            raise found  # a bug, once every other call is over: the bus finds the record that causes it
        for (request, member), answer in zip(body.places, found, strict=True):
            slots[request][member] = answer
    return [_scored(asked, found) for asked, found in zip(batch, slots, strict=True)]


async def _ask(
    body: Body, batch: Sequence[Asked], ask: Ask, limits: Limits, now: datetime
) -> Sequence[Output | Gap]:
    asking = [batch[request] for request, _ in body.places]
    deadlines = (asked.request.asked.deadline for asked in asking)
    budget = budget_s(deadlines, now, limits.clock_skew, limits.call_budget_s)
    return await ask(body.choice, [asked.features for asked in asking], budget)


def _scored(asked: Asked, answers: Sequence[Output | Gap | None]) -> Scored:
    outputs = [answer for answer in answers if isinstance(answer, Output)]
    if len(outputs) == len(answers) and not asked.plan.absent:
        return Scored(asked, outputs, [])
    gaps = [answer for answer in answers if isinstance(answer, Gap)]
    gaps += [
        Gap(model, FailureCode.UNKNOWN_MODEL, f"no route gives traffic to {model}")
        for model in asked.plan.absent
    ]
    return Scored(asked, outputs, gaps)
