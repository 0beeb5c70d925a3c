"""A cluster for the conformance suite: the same few operations in memory and on real Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from aiokafka import TopicPartition

from ekiben_bus.cluster import Cluster
from ekiben_bus.publishing import PartitionPublisher, WireRecord
from ekiben_bus.records import Record
from ekiben_bus.service import Service
from ekiben_bus.settings import ServiceSettings

DEADLINE_S = 30.0


class Topics(Protocol):
    """Creates and alters topics on one kind of cluster."""

    async def create(self, name: str, partitions: int, max_message_bytes: int) -> None: ...
    async def allow(self, name: str, max_message_bytes: int) -> None: ...
    async def delete_before(self, place: TopicPartition, offset: int) -> None: ...


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class World:
    """A cluster, its topics, a prefix that no other test has, and the clock of all that runs on it."""

    cluster: Cluster
    topics: Topics
    prefix: str
    clock: Callable[[], datetime] = _now
    has_network: bool = True

    def service(self, name: str, settings: ServiceSettings, later: timedelta = timedelta()) -> Service:
        """A service on it, whose clock is ahead by so much."""
        port = settings.health_port if self.has_network else None
        settings = settings.model_copy(update={"health_port": port})
        return Service(name, settings, self.cluster, clock=lambda: self.clock() + later)

    async def produce(self, *records: WireRecord) -> None:
        publisher = PartitionPublisher(self.cluster)
        try:
            await publisher.publish(records)
        finally:
            await publisher.stop()

    async def read(
        self, topic: str, partitions: int, expected: int, deadline_s: float = DEADLINE_S
    ) -> list[Record]:
        """Every record of a topic, as soon as there are at least so many."""
        places = [TopicPartition(topic, number) for number in range(partitions)]
        consumer = self.cluster.consumer(group_id=None)
        consumer.assign(places)
        await consumer.start()
        try:
            await consumer.seek_to_beginning(*places)
            found: list[Record] = []
            async with asyncio.timeout(deadline_s):
                while len(found) < expected or await self._lags(consumer, places):
                    for records in (await consumer.getmany(timeout_ms=100)).values():
                        found.extend(records)
            return found
        finally:
            await consumer.stop()

    async def _lags(self, consumer, places: Sequence[TopicPartition]) -> bool:
        ends = await consumer.end_offsets(places)
        return any([await consumer.position(place) < end for place, end in ends.items()])

    async def committed(self, group: str, topic: str, partition: int) -> int | None:
        consumer = self.cluster.consumer(group_id=group)
        consumer.assign([TopicPartition(topic, partition)])
        await consumer.start()
        try:
            return await consumer.committed(TopicPartition(topic, partition))
        finally:
            await consumer.stop()


async def until(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Wait for a condition; TimeoutError when it does not come."""
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.sleep(0.01)
