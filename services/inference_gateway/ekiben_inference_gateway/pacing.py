"""How many rows go into one body, and how many bodies are asked at a time: learned, endpoint by endpoint.

Rows are as many as add no more than a target to what a call costs in itself, which fewer rows would not
save: on a busy machine every call is slow, and small bodies only make more of them (costs.py).
Calls at a time grow while one more finds the endpoint idle, and shrink when they queue there: what
they take beyond a call of their size made alone is time in the queue (Brakmo and Peterson, "TCP
Vegas", 1995, 3.2). Both stay within bounds. Decides, asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ekiben_inference_gateway.costs import CallCost
from ekiben_inference_gateway.routing import Endpoint

_FIRST_ROWS = 64
_GROW = 2
_SHRINK = 0.75
_FIRST_CALLS = 2
_IDLE = 1.0
_QUEUED = 1.5
_WEIGHT = 1 / 8


@dataclass(frozen=True, slots=True)
class Bounds:
    """`target_s` is what its rows may add to a call; bodies have 1 to `rows`, 1 to `calls` at a time."""

    rows: int = 1024
    calls: int = 4
    target_s: float = 0.05


@dataclass(slots=True)
class Pace:
    """What one endpoint takes."""

    bounds: Bounds
    rows: int = 0
    calls: int = 0
    _cost: CallCost = field(default_factory=CallCost)
    _alone_s: dict[int, float] = field(default_factory=dict[int, float])

    def __post_init__(self) -> None:
        self.rows = min(_FIRST_ROWS, self.bounds.rows)
        self.calls = min(_FIRST_CALLS, self.bounds.calls)

    def learn(self, rows: int, seconds: float, at_a_time: int) -> None:
        """A call of so many rows was answered; so many were on their way when it began, itself included."""
        self._learn_rows(rows, seconds)
        self._learn_calls(rows, seconds, at_a_time)

    def _learn_rows(self, rows: int, seconds: float) -> None:
        self._cost.learn(rows, seconds)
        fitting = self._cost.rows_within(self.bounds.target_s)
        if seconds > self.bounds.target_s and fitting < self.rows:
            self.rows = max(1, int(max(fitting, self.rows * _SHRINK)))
        elif rows >= self.rows and fitting > self.rows:  # smaller ones say little of larger ones
            self.rows = int(min(self.bounds.rows, fitting, self.rows * _GROW))

    def _learn_calls(self, rows: int, seconds: float, at_a_time: int) -> None:
        size = rows.bit_length()
        alone_s = self._alone_s.get(size)
        if at_a_time == 1:
            # where an endpoint got slower, calls shrink until one is alone again, which tells
            self._alone_s[size] = seconds if alone_s is None else alone_s + _WEIGHT * (seconds - alone_s)
        if alone_s is None or at_a_time < self.calls or seconds <= 0:
            return
        queued = at_a_time * (1 - alone_s / seconds)
        if queued < _IDLE:
            self.calls = min(self.bounds.calls, self.calls + 1)
        elif queued > _QUEUED:
            self.calls = max(1, self.calls - 1)


class Paces:
    """The pace of each endpoint, and how many calls of it are on their way."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._paces: dict[Endpoint, Pace] = {}
        self._on_their_way: dict[Endpoint, int] = {}

    def of(self, endpoint: Endpoint) -> Pace:
        """What is known of an endpoint, or the start."""
        pace = self._paces.get(endpoint)
        if pace is None:
            pace = self._paces[endpoint] = Pace(self._bounds)
        return pace

    def calls_more(self, endpoint: Endpoint) -> int:
        """How many calls it is given beside those on their way; one for each batch in any case."""
        return max(1, self.of(endpoint).calls - self._on_their_way.get(endpoint, 0))

    @contextmanager
    def asking(self, endpoint: Endpoint) -> Iterator[int]:
        """Count a call while it is on its way; gives how many there are, itself included."""
        at_a_time = self._on_their_way[endpoint] = self._on_their_way.get(endpoint, 0) + 1
        try:
            yield at_a_time
        finally:
            self._on_their_way[endpoint] -= 1

    def keep(self, endpoints: frozenset[Endpoint]) -> None:
        """Forget endpoints that are routed no more, once nothing is on its way to them."""
        for gone in self._paces.keys() - endpoints:
            if not self._on_their_way.get(gone, 0):
                self._on_their_way.pop(gone, None)
                del self._paces[gone]
