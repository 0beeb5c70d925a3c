"""Connections that cannot be held open for nothing: uvicorn itself waits for ever.

Anybody may connect, known or not, and connections and requests under way are counted: whoever held
them all would keep everybody out. h11 and not httptools, since it bounds a head (64 KiB).
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


def impatient(timeout_s: float) -> type[H11Protocol]:
    """The protocol of uvicorn that gives a head, and an answer that is not taken, so many seconds."""

    class Impatient(_Impatient):
        _timeout_s = timeout_s

    return Impatient


class _Impatient(H11Protocol):
    _timeout_s: float
    _head: asyncio.TimerHandle | None = None
    _taken: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._head = _cancelled(self._head)
        elif self._head is None:  # the keep-alive timer ends with the first byte of another head
            self._await_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._taken = self.loop.call_later(self._timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        self._taken = _cancelled(self._taken)
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head, self._taken = _cancelled(self._head), _cancelled(self._taken)
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._head = self.loop.call_later(self._timeout_s, self.transport.close)


def _cancelled(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
