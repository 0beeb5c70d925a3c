"""Polling a consumer so that of every record it is known under which assignment it was taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from aiokafka import TopicPartition

from ekiben_bus.cluster import Consumer
from ekiben_bus.records import Record

Found = Mapping[TopicPartition, Sequence[Record]]


class Polled(NamedTuple):
    """Records in the order of their partitions, and the assignment they were taken under."""

    records: Sequence[Record]
    generation: int


NOTHING = Polled((), -1)


class Holder(Protocol):
    """Who knows about assignments: whether there is one, and how many there were before."""

    @property
    def is_assigned(self) -> bool: ...
    @property
    def generation(self) -> int: ...


class PolledConsumer:
    """A consumer that hands out only what is its own, and remembers of which assignment that was.

    In all else it is the consumer inside.
    """

    def __init__(self, consumer: Consumer, holder: Holder) -> None:
        self._consumer = consumer
        self._holder = holder
        self.generation = holder.generation
        """Of what was handed out last."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)

    async def getmany(self, *, timeout_ms: int = 0, max_records: int | None = None) -> Found:
        """See Consumer.getmany."""
        found = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=max_records)
        # nobody has run since they were taken: they belong to the assignment that is there now
        if not self._holder.is_assigned:
            self._give_back(found)
            return {}
        self.generation = self._holder.generation
        return found

    def _give_back(self, found: Found) -> None:
        """Unread, for whoever owns the partitions next."""
        for place in self._consumer.assignment() & found.keys():
            self._consumer.seek(place, found[place][0].offset)
