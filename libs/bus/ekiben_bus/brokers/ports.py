"""Ports of the loopback to listen on."""

from __future__ import annotations

import random
import socket

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
    for port in random.sample(_BELOW_EPHEMERAL, k=100):
        if is_free(port):
            return port
    raise BrokerStartError(f"no free port on {HOST}: tried 100 of {_BELOW_EPHEMERAL}; name one with --port")
