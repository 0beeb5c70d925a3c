"""What came of the calls to one endpoint within one window of time. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ekiben_contracts.latencies import bucket_of
from ekiben_serving.watching import ANSWERED

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Window(NamedTuple):
    """From its start, up to its end."""

    start: datetime
    end: datetime


def window_of(at: datetime, length: timedelta) -> Window:
    """The window that a time falls into. They are the same in every gateway: multiples of their length."""
    start = _EPOCH + (at - _EPOCH) // length * length
    return Window(start, start + length)


@dataclass(slots=True)
class Tally:
    """Requests, those without an answer by kind, and the latencies of the others. Bounded by its buckets."""

    requests: int = 0
    errors: Counter[str] = field(default_factory=Counter[str])
    latencies: Counter[int] = field(default_factory=Counter[int])

    def add(self, rows: int, seconds: float, outcome: str, row_errors: Mapping[str, int]) -> None:
        """One call. Each of its rows waited for as long as it took."""
        self.requests += rows
        if outcome != ANSWERED:
            self.errors[outcome] += rows
            return
        self.errors.update(row_errors)
        answered = rows - sum(row_errors.values())
        if answered > 0:
            self.latencies[bucket_of(seconds * 1000)] += answered
