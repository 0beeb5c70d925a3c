"""Closing a connection over TLS within a moment, where the event loop may take half a minute.

A loop that says goodbye waits for the broker's. When an answer to an earlier request comes in between, such
as that of the fetch that a reader always has on its way, uvloop does not see the goodbye behind it, and
gives up after 30 s. aiokafka sets no other limit: its connections are dropped here, once there was time to
be polite. All that matters was acknowledged before.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from aiokafka.conn import AIOKafkaConnection

_POLITE_S = 0.5
_MARK = "_ekiben_closes_in_time"


def close_in_time() -> None:
    """Have every connection of aiokafka close so. Doing it again changes nothing."""
    if getattr(AIOKafkaConnection, _MARK, False):
        return
    close = AIOKafkaConnection.close

    @wraps(close)
    def in_time(self: Any, reason: object = None, exc: BaseException | None = None) -> object:
        transport = self._writer.transport if self._ssl_context and self._writer is not None else None
        closed = close(self, reason, exc)
        if transport is not None:
            self._loop.call_later(_POLITE_S, transport.abort)
        return closed

    AIOKafkaConnection.close = in_time
    setattr(AIOKafkaConnection, _MARK, True)
