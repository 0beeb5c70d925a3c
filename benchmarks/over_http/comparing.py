"""Every side in turn, several times; and what makes a run void."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.over_http.wrk import Load


@dataclass(frozen=True, slots=True)
class Round:
    """One side under load once. CPU microseconds are for each answer: of the gateway, and of the model."""

    load: Load
    gateway_us: float | None
    model_us: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every round of every side at one number of connections, in their order."""

    connections: int
    rounds: Mapping[str, Sequence[Round]]

    def rate(self, side: str) -> float:
        """The median of its requests a second."""
        return self.median(side, lambda one: one.load.requests_per_s)

    def median(self, side: str, of: Callable[[Round], float]) -> float:
        """The median over its rounds."""
        return statistics.median(map(of, self.rounds[side]))

    def to(self, side: str, other: str) -> float | None:
        """The median over the rounds of its rate beside that of another in the same round.

        None where it is void: a side that refuses is quick, and no slower than what it is beside.
        """
        if side not in self.rounds or other not in self.rounds or self.failed(side) or self.failed(other):
            return None
        pairs = zip(self.rounds[side], self.rounds[other], strict=True)
        return statistics.median(
            one.load.requests_per_s / reference.load.requests_per_s for one, reference in pairs
        )

    def failed(self, side: str) -> int:
        """Requests without a proper answer; a side that answered nothing at all failed, too."""
        rounds = self.rounds[side]
        return sum(one.load.failed for one in rounds) + sum(one.load.requests == 0 for one in rounds)

    def void(self) -> list[str]:
        """Why nothing follows from this, by side."""
        return [
            f"{side} at {self.connections} connections: "
            f"{sum(one.load.refused for one in rounds)} refused, {sum(one.load.broken for one in rounds)} "
            f"broken off, of {sum(one.load.requests for one in rounds)}"
            for side, rounds in self.rounds.items()
            if self.failed(side)
        ]


def unpublished(side: str, answered: int, published: int) -> list[str]:
    """Why a side that publishes its answers did less than it should have."""
    if published >= answered:
        return []
    return [f"{side}: {answered} answers, found {published} of them on their topic"]
