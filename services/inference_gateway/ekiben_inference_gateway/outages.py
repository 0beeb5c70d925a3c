"""Since when an endpoint does not answer, so that its requests wait, but not for ever."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from ekiben_inference_gateway.routing import Endpoint


class _Outage(NamedTuple):
    since: float
    last_failure: float
    why: str


class Outages:
    """The endpoints that are down now. An outage begins with its first failed call here.

    Patience is for the outage, not for each request: otherwise every batch of a backlog would wait
    as long again. After a restart of the gateway it begins anew, and so it does where
    nobody has asked for so long that the failures before say nothing of now.
    """

    def __init__(self, patience_s: float, clock: Callable[[], float] = monotonic) -> None:
        self._patience_s = patience_s
        self._clock = clock
        self._outages: dict[Endpoint, _Outage] = {}

    def down(self, endpoint: Endpoint, why: str) -> None:
        """It did not answer."""
        now = self._clock()
        known = self._outages.get(endpoint, _Outage(now, now, why))
        goes_on = now - known.last_failure <= self._patience_s
        self._outages[endpoint] = _Outage(known.since if goes_on else now, now, why)

    def up(self, endpoint: Endpoint) -> None:
        """It answered."""
        self._outages.pop(endpoint, None)

    def why_down(self, endpoint: Endpoint) -> str | None:
        """What its last call ended with; None where it is not down."""
        outage = self._outages.get(endpoint)
        return None if outage is None else outage.why

    def was_tried_within(self, seconds: float, endpoint: Endpoint) -> bool:
        """Whether it is down, and was found so as lately as that."""
        outage = self._outages.get(endpoint)
        return outage is not None and self._clock() - outage.last_failure < seconds

    def cover(self, endpoints: frozenset[Endpoint]) -> bool:
        """Whether none of these answers."""
        return endpoints <= self._outages.keys()

    def is_given_up(self, endpoint: Endpoint) -> bool:
        """Whether it has been down for longer than its requests wait."""
        outage = self._outages.get(endpoint)
        return outage is not None and self._clock() - outage.since >= self._patience_s

    def keep(self, endpoints: frozenset[Endpoint]) -> None:
        """Forget the outages of endpoints that are routed no more."""
        for gone in self._outages.keys() - endpoints:
            del self._outages[gone]
