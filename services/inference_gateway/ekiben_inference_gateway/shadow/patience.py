"""When a shadow that did not answer is asked again."""

from __future__ import annotations

from dataclasses import dataclass

from ekiben_inference_gateway.outages import Outages
from ekiben_inference_gateway.routing import Endpoint


@dataclass(frozen=True, slots=True)
class SeldomAgain:
    """A Patience: one that is down fails at once, and is probed from time to time. Nothing waits for it."""

    outages: Outages
    probe_after_s: float

    def seconds(
        self, endpoint: Endpoint, rows: int, budget_s: float, routed: frozenset[Endpoint]
    ) -> float | None:
        """See Patience."""
        del rows, routed
        return None if self.outages.was_tried_within(self.probe_after_s, endpoint) else budget_s
