"""What the deadline of a request allows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

LEAST_BUDGET_S = 0.1
"""A call cut shorter says nothing of the model, yet counts against it in its circuit breaker."""


def is_past(deadline: datetime | None, now: datetime, skew: timedelta) -> bool:
    """Whether it is too late to compute. `skew` is how far producers' clocks may be off."""
    # the skew off the present: on a deadline in the year 9999 it could not be added
    return deadline is not None and now - skew > deadline


def budget_s(deadlines: Iterable[datetime | None], now: datetime, skew: timedelta, most: float) -> float:
    """Seconds that a body of rows may take: until the last of its deadlines, and `most` at the most.

    The last one, so that one impatient request does not fail those it shares a body with.
    """
    latest = now - skew
    for deadline in deadlines:
        if deadline is None:
            return most
        latest = max(latest, deadline)
    return min(most, max(LEAST_BUDGET_S, (latest - now + skew).total_seconds()))
