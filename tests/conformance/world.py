"""A cluster for the conformance suite: the same few operations in memory and on real Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiokafka import TopicPartition

from ekiben_bus.cluster import Cluster
from ekiben_bus.publishing import PartitionPublisher, WireRecord
from ekiben_bus.records import Record

DEADLINE_S = 30.0


class Topics(Protocol):
    """Creates and alters topics on one kind of cluster."""

    async def create(self, name: str, partitions: int, max_message_bytes: int) -> None: ...
    async def allow(self, name: str, max_message_bytes: int) -> None: ...
    async def delete_before(self, place: TopicPartition, offset: int) -> None: ...


@dataclass(frozen=True)
class World:
    """A cluster, its topics, and a prefix that no other test has."""

    cluster: Cluster
    topics: Topics
    prefix: str

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
