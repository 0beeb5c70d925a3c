"""A producer of the cluster in memory, with the surface of aiokafka's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.errors import ProducerClosed, UnknownTopicOrPartitionError

if TYPE_CHECKING:
    from ekiben_bus.memory.cluster import MemoryCluster

_BATCH_BYTES = 512 * 1024


class MemoryBatch:
    """Takes records until it is full; a first record always fits."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]] = []
        self._bytes = 0

    def append(
        self,
        *,
        timestamp: int | None,  # noqa: ARG002 - the cluster's clock stamps
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]],
    ) -> object | None:
        size = len(key or b"") + len(value or b"")
        if self.records and self._bytes + size > _BATCH_BYTES:
            return None
        self.records.append((key, value, headers))
        self._bytes += size
        return self


class MemoryProducer:
    """Appends whole batches."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster
        self._closed = False

    async def start(self) -> None:
        return

    async def stop(self) -> None:
        self._closed = True

    async def partitions_for(self, topic: str) -> set[int]:
        if topic not in self._cluster.partitions:
            raise UnknownTopicOrPartitionError(topic)
        return set(range(self._cluster.partitions[topic]))

    def create_batch(self) -> MemoryBatch:
        return MemoryBatch()

    async def send_batch(self, batch: MemoryBatch, topic: str, *, partition: int) -> Awaitable[object]:
        if self._closed:
            raise ProducerClosed
        return asyncio.ensure_future(self._deliver(batch, TopicPartition(topic, partition)))

    async def _deliver(self, batch: MemoryBatch, partition: TopicPartition) -> None:
        await asyncio.sleep(0)
        self._cluster.append(partition, batch.records)
