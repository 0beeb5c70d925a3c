"""How often a login that was refused is tried again: brokers lock an account that is tried too often."""

from __future__ import annotations

import time
from collections.abc import Callable

from aiokafka.errors import SaslAuthenticationFailed

from ekiben_bus.backing_off import backoff

_FIRST_S = 1.0
_LONGEST_S = 60.0


class Door:
    """Of one broker, for all the clients that share a login: while it is refused, one of them tries."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refusals = 0
        self._again_at = 0.0
        self._said: tuple[object, ...] = ()

    @property
    def closed_for_s(self) -> float:
        """How long nobody knocks any more."""
        return max(0.0, self._again_at - self._clock())

    def knock(self) -> None:
        """Before a connection is tried. Once refused, whoever comes next waits for the outcome.

        Raises:
            SaslAuthenticationFailed: what the broker said the last time; it is not asked yet.
        """
        if self.closed_for_s:
            raise SaslAuthenticationFailed(*self._said)
        if self._refusals:
            self._close()

    def refused(self, error: SaslAuthenticationFailed) -> None:
        """The broker does not take the login. Of those who knocked at once, the first one counts."""
        if not self._refusals:
            self._close()
        self._said = error.args

    def opened(self) -> None:
        """It does."""
        self._refusals, self._again_at = 0, 0.0

    def _close(self) -> None:
        self._refusals += 1
        self._again_at = self._clock() + backoff(self._refusals, _FIRST_S, _LONGEST_S)
