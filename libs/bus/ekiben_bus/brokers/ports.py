"""Ports of the loopback to listen on."""

from __future__ import annotations

import random
import socket
from itertools import islice

from ekiben_bus.brokers.errors import BrokerStartError
from ekiben_bus.brokers.properties import HOST

_BELOW_EPHEMERAL = range(20_000, 30_000)
"""Outside what the system hands to outgoing connections: one that is let go can be taken again."""


def is_free(port: int) -> bool:
    """True if a listener could bind it now, even right after another one left."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that nobody listens on. It is not reserved: bind it soon."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Different ones, as `free_port`."""
    tried = random.sample(_BELOW_EPHEMERAL, k=100 + count)
    free = list(islice(filter(is_free, tried), count))
    if len(free) < count:
        raise BrokerStartError(
            f"expected {count} free ports on {HOST}, found {len(free)} in {len(tried)} of "
            f"{_BELOW_EPHEMERAL}; name one with --port"
        )
    return free
