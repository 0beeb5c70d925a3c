"""How long a body of rows waits for its endpoint, and whether it is sent at all. Decides, asks nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ekiben_inference_gateway.latencies import Latencies
from ekiben_inference_gateway.outages import Outages
from ekiben_inference_gateway.routing import Endpoint


class Patience(Protocol):
    """How one lane waits for endpoints."""

    def seconds(
        self, endpoint: Endpoint, rows: int, budget_s: float, routed: frozenset[Endpoint]
    ) -> float | None:
        """At most `budget_s`; None: do not ask it now. `routed` are all that take traffic."""
        ...


@dataclass(frozen=True, slots=True)
class MainFlow:
    """One endpoint must not delay the requests of another, which are in the same batch or the next.

    Each is given about as long as it usually takes, and one that is down is left to the parked lane.
    It is asked here all the same where nobody has asked for `probe_after_s`. An endpoint beside which
    no other answers delays nobody: it is always asked, with the whole budget.
    """

    outages: Outages
    latencies: Latencies
    least_s: float
    probe_after_s: float

    def seconds(
        self, endpoint: Endpoint, rows: int, budget_s: float, routed: frozenset[Endpoint]
    ) -> float | None:
        """See Patience."""
        if self.outages.cover(routed - {endpoint}):
            return budget_s
        if self.outages.was_tried_within(self.probe_after_s, endpoint):
            return None
        known = self.latencies.of(endpoint, rows)
        return budget_s if known is None else min(budget_s, max(self.least_s, known.longest_s))


class ParkedLane:
    """Whoever waits here has time: every endpoint is asked, with the whole budget."""

    def seconds(
        self, endpoint: Endpoint, rows: int, budget_s: float, routed: frozenset[Endpoint]
    ) -> float | None:
        """See Patience."""
        del endpoint, rows, routed
        return budget_s
