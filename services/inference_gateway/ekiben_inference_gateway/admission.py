"""What can be said of a request before any model is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from ekiben_inference_gateway.deadlines import is_past
from ekiben_inference_gateway.features.filling import Admitted, Fill
from ekiben_inference_gateway.refusals import Refusal, no_features, past_deadline, unknown_model
from ekiben_inference_gateway.requests import Request
from ekiben_inference_gateway.routing import Router
from ekiben_inference_gateway.scoring import Asked

DrawBy = Literal["request_id", "entity_id"]


def admit(
    request: Request, router: Router, draw_by: DrawBy, now: datetime, skew: timedelta
) -> Asked | Refusal:
    """The versions to ask, or why nobody is asked."""
    asked = request.asked
    if asked.deadline is not None and is_past(asked.deadline, now, skew):
        return past_deadline(asked.deadline, now)
    plan = router.plan(asked.model)
    if plan is None:
        return unknown_model(asked.model, router.names)
    if asked.features is None and not plan.feature_services:
        return no_features(plan)
    key = asked.entity_id if draw_by == "entity_id" else request.id
    return Asked(request, plan, asked.features or {}, plan.draw(key))


async def fill_in_time(
    admitted: Sequence[Asked | Refusal],
    fill: Fill,
    clock: Callable[[], datetime],
    now: datetime,
    skew: timedelta,
) -> tuple[Sequence[Admitted], datetime]:
    """All features that can be had, and what time it is then: a read may outlast a deadline."""
    filled = await fill(admitted)
    if filled is admitted:  # nothing was read, so it is no later
        return filled, now
    now = clock()
    return [_in_time(one, now, skew) for one in filled], now


def _in_time(one: Admitted, now: datetime, skew: timedelta) -> Admitted:
    deadline = one.request.asked.deadline if isinstance(one, Asked) else None
    return one if deadline is None or not is_past(deadline, now, skew) else past_deadline(deadline, now)
