"""A producer of the cluster in memory, with the surface of aiokafka's idempotent one."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.errors import ProducerClosed, UnknownTopicOrPartitionError

from ekiben_bus.memory.log import NewRecord
from ekiben_bus.memory.wire import Errand, Request
from ekiben_contracts.envelope import Headers

if TYPE_CHECKING:
    from ekiben_bus.memory.cluster import MemoryCluster

_BATCH_BYTES = 512 * 1024


class MemoryBatch:
    """Takes records until it is full; a first record always fits."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self.records: list[NewRecord] = []
        self._now_ms = now_ms
        self._bytes = 0

    def append(
        self,
        *,
        timestamp: int | None,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
    ) -> object | None:
        if not isinstance(headers, list):
            raise TypeError(f"expected the headers in a list, as aiokafka does, found {type(headers)}")
        size = len(key or b"") + len(value or b"")
        if self.records and self._bytes + size > _BATCH_BYTES:
            return None
        stamp = self._now_ms() if timestamp is None else timestamp
        self.records.append(NewRecord(stamp, key, value, headers))
        self._bytes += size
        return self


class MemoryProducer:
    """Sends whole batches, numbered by partition: after one that was given up, all others are refused."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster
        self._id = cluster.new_producer_id()
        self._sequences: Counter[TopicPartition] = Counter()
        self._turns: defaultdict[TopicPartition, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._closed = False

    async def start(self) -> None:
        await self._cluster.wire.carry(Request(Errand.CONNECT, ""), lambda: None)

    async def stop(self) -> None:
        self._closed = True

    async def partitions_for(self, topic: str) -> set[int]:
        if topic not in self._cluster.partitions:
            raise UnknownTopicOrPartitionError(topic)
        return set(range(self._cluster.partitions[topic]))

    def create_batch(self) -> MemoryBatch:
        return MemoryBatch(self._cluster.now_ms)

    async def send_batch(self, batch: MemoryBatch, topic: str, *, partition: int) -> Awaitable[object]:
        if self._closed:
            raise ProducerClosed
        place = TopicPartition(topic, partition)
        number = self._sequences[place]
        self._sequences[place] += 1
        return asyncio.ensure_future(self._deliver(batch, place, number))

    async def _deliver(self, batch: MemoryBatch, place: TopicPartition, number: int) -> None:
        async with self._turns[place]:  # as aiokafka does: the next batch of a partition after this one
            await self._cluster.wire.carry(
                Request(Errand.PRODUCE, place.topic),
                lambda: self._cluster.receive(self._id, number, place, batch.records),
            )
