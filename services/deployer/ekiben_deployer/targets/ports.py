"""Which port a child listens on."""

from __future__ import annotations

import random
from collections.abc import Collection

from ekiben_deployer.supervisor.listening import LOOPBACK, is_free

_FIRST, _LAST = 20_000, 29_999
"""Below the ranges from which Linux and macOS take the ports of outgoing connections: a port of ours
stays free while its child is down, and no client can connect to itself on it."""


def choose(taken: Collection[int], draw: random.Random) -> int:
    """A free loopback port that is not among `taken`; at random, so that two deployers seldom draw the same.

    Raises:
        OSError: a thousand draws found none.
    """
    for _ in range(1000):
        port = draw.randint(_FIRST, _LAST)
        if port not in taken and is_free(port):
            return port
    raise OSError(f"expected a free port from {_FIRST} to {_LAST} on {LOOPBACK}, found none in 1,000 draws")
