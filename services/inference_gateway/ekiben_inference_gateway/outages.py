"""Since when an endpoint does not answer, so that its requests are held, but not for ever."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from ekiben_inference_gateway.routing import Endpoint


class Outages:
    """The endpoints that are down now. An outage begins with its first failed call here.

    Patience is for the outage, not for each request: otherwise every batch of a backlog would hold
    its partition as long again. After a restart of the gateway it begins anew.
    """

    def __init__(self, patience_s: float, clock: Callable[[], float] = monotonic) -> None:
        self._patience_s = patience_s
        self._clock = clock
        self._since: dict[Endpoint, float] = {}

    def down(self, endpoint: Endpoint) -> None:
        """It did not answer."""
        self._since.setdefault(endpoint, self._clock())

    def up(self, endpoint: Endpoint) -> None:
        """It answered."""
        self._since.pop(endpoint, None)

    def is_given_up(self, endpoint: Endpoint) -> bool:
        """Whether it has been down for longer than its requests are held."""
        since = self._since.get(endpoint)
        return since is not None and self._clock() - since >= self._patience_s

    def keep(self, endpoints: frozenset[Endpoint]) -> None:
        """Forget the outages of endpoints that are routed no more."""
        for gone in self._since.keys() - endpoints:
            del self._since[gone]
