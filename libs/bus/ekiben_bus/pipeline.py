"""Batches on their way: decided side by side, published one after the other in the order they were read."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition


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
    """At most `width` batches at a time, each of which is told the one before it."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._batches: deque[Batch] = deque()

    @property
    def oldest(self) -> Batch | None:
        """The one that was read first, until it is reaped."""
        return self._batches[0] if self._batches else None

    @property
    def is_full(self) -> bool:
        return len(self._batches) >= self._width

    def start(self, carry: Callable[[Batch | None], Coroutine[Any, Any, Left]]) -> None:
        """Begin another batch."""
        before = self._batches[-1] if self._batches else None
        self._batches.append(asyncio.create_task(carry(before)))

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


async def is_finished(batch: Batch) -> bool:
    """Wait for a batch to be over. False: it left something, or was cancelled."""
    await asyncio.wait([batch])
    return not batch.cancelled() and batch.exception() is None and not batch.result().again
