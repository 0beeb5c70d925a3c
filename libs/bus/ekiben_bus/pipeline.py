"""Batches on their way: decided side by side, published in the order in which they were read."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition

from ekiben_bus.departures import Departures, Turn
from ekiben_bus.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Left:
    """What a batch leaves to be read again, from these offsets on. Nothing: all of it is finished.

    `why` is empty where nothing failed: it is not due yet, which it will be in `due_in_s`, or `is_behind`
    an earlier batch that left something. `is_held`: it could be answered, but not now. `overran`: it was
    given up because it took too long.
    """

    records: int
    seconds: float = 0.0
    again: Mapping[TopicPartition, int] = field(default_factory=dict[TopicPartition, int])
    why: str = ""
    is_behind: bool = False
    is_held: bool = False
    overran: bool = False
    due_in_s: float = 0.0


Batch = asyncio.Task[Left]


class Pipeline:
    """At most `width` batches at a time, each with its turn to `depart`."""

    def __init__(self, width: int, depart: Callable[[Sequence[Outbox]], Awaitable[None]]) -> None:
        self._width = width
        self._depart = depart
        self._line = Departures(depart)
        self._batches: deque[Batch] = deque()

    @property
    def oldest(self) -> Batch | None:
        """The one that was read first, until it is reaped."""
        return self._batches[0] if self._batches else None

    @property
    def is_full(self) -> bool:
        return len(self._batches) >= self._width

    def start(self, carry: Callable[[Turn], Coroutine[Any, Any, Left]]) -> None:
        """Begin another batch. Where none is on its way, nothing that went wrong before matters any more."""
        if not self._batches:
            self._line = Departures(self._depart)
        turn = self._line.line_up()
        batch = asyncio.create_task(carry(turn))
        batch.add_done_callback(lambda _: turn.gone())
        self._batches.append(batch)

    def reap(self) -> Iterator[Left]:
        """What those left that are over, in their order. Of a cancelled one nobody reads on here."""
        while self._batches and self._batches[0].done():
            batch = self._batches.popleft()
            if not batch.cancelled():
                yield batch.result()

    async def settle(self, timeout_s: float | None = None) -> bool:
        """Wait until all are over; those that are late are cancelled. Returns whether none was."""
        if not self._batches:
            return True
        _, late = await asyncio.wait(self._batches, timeout=timeout_s)
        for batch in late:
            batch.cancel()
        if late:
            await asyncio.wait(late)
        return not late

    async def abandon(self) -> None:
        """Give up whatever is on its way, and what it leaves."""
        await self.settle(0)
        self._batches.clear()
