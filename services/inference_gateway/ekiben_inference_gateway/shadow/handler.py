"""From scored requests to what their shadows answer: every question has its event, and none waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import chain

from ekiben_bus.records import Received
from ekiben_bus.verdicts import Emit
from ekiben_contracts.lean import SCORED
from ekiben_contracts.prediction import FailureCode, ModelsScored
from ekiben_inference_gateway.policies import Gap
from ekiben_inference_gateway.routing import RouteTable
from ekiben_inference_gateway.shadow.answers import Skipped, outgoing, shadowed
from ekiben_inference_gateway.shadow.asking import Asker
from ekiben_inference_gateway.shadow.choosing import Shadowing, Shadows
from ekiben_inference_gateway.shadow.metrics import ShadowMetrics


async def shadow(
    batch: Sequence[Received],
    *,
    routes: RouteTable,
    asker: Asker,
    longest_lag: timedelta,
    clock: Callable[[], datetime],
    metrics: ShadowMetrics,
) -> list[Emit]:
    """One verdict for each scored request: what each of its shadows answered, or why it did not."""
    now, shadows = clock(), Shadows(routes.values())
    behind = [now - received.recorded_at for received in batch]
    questions = [
        [
            (one, _unasked(one, late, longest_lag, shadows))
            for one in shadows.beside(scored_in(received), received.attempt - 1)
        ]
        for received, late in zip(batch, behind, strict=True)
    ]
    asked = await asker.about([one for one, unasked in chain(*questions) if unasked is None])
    answers = iter(asked)
    told = [[(one, shadowed(one, unasked or next(answers))) for one, unasked in about] for about in questions]
    metrics.told((event for _, event in chain(*told)), max(behind))
    return [Emit(tuple(outgoing(one, event) for one, event in about)) for about in told]


def scored_in(received: Received) -> ModelsScored:
    """The outputs in a record.

    Raises:
        TypeError: the record holds another event.
    """
    if not isinstance(received.event, SCORED):
        raise TypeError(f"expected {ModelsScored.type}, found {received.event.type}")
    return received.event


def _unasked(one: Shadowing, behind: timedelta, longest: timedelta, shadows: Shadows) -> Skipped | Gap | None:
    """Why a shadow is not asked; None: it is."""
    if behind > longest:
        return Skipped(behind.total_seconds(), longest.total_seconds())
    if not shadows.shares_with_traffic(one):
        return None
    endpoint = one.choice.endpoint
    detail = f"expected an address of its own, found that {endpoint.url} gets traffic; route it elsewhere"
    return Gap(endpoint.model, FailureCode.MODEL_UNAVAILABLE, detail, endpoint)
