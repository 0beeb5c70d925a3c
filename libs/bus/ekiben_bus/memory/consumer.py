"""A consumer of the cluster in memory, with the surface and the semantics of aiokafka's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalStateError

from ekiben_bus.careful import Gap
from ekiben_bus.memory.log import StoredRecord

if TYPE_CHECKING:
    from ekiben_bus.memory.cluster import MemoryCluster

_EVERYTHING = 1_000_000_000


class MemoryConsumer:
    """Reads by group, or by partitions assigned by hand."""

    def __init__(self, cluster: MemoryCluster, group_id: str | None) -> None:
        self.topics: Sequence[str] = ()
        self.gap: Gap | None = None
        self.trouble: str | None = None
        self._cluster = cluster
        self._group = cluster.group(group_id) if group_id else None
        self._listener: ConsumerRebalanceListener | None = None
        self._positions: dict[TopicPartition, int] = {}
        self._assigned = asyncio.Event()
        self._stopped = False

    def subscribe(
        self,
        topics: Sequence[str],
        pattern: str | None = None,
        listener: ConsumerRebalanceListener | None = None,
    ) -> None:
        assert pattern is None, "topics are named"
        self.topics = list(topics)
        self._listener = listener

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        self._positions = {partition: self._cluster.log(partition).start for partition in partitions}
        self._assigned.set()

    async def start(self) -> None:
        if self._group is not None and self.topics:
            await self._group.join(self)

    async def stop(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        if self._group is not None:
            await self.revoke()
            await self._group.leave(self)

    async def revoke(self) -> None:
        """The group takes everything back, once the listener has let go."""
        self._assigned.clear()
        if self._listener is not None:
            await _call(self._listener.on_partitions_revoked, set(self._positions))

    async def take(self, partitions: set[TopicPartition]) -> None:
        """The group gives a new share: read on from what is committed, or from the start."""
        assert self._group is not None
        committed = self._group.committed
        self._positions = {
            place: committed.get(place, self._cluster.log(place).start) for place in sorted(partitions)
        }
        if self._listener is not None:
            await _call(self._listener.on_partitions_assigned, set(partitions))
        self._assigned.set()

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> Mapping[TopicPartition, Sequence[StoredRecord]]:
        if self._stopped:
            raise ConsumerStoppedError
        await asyncio.sleep(0)
        await self._assigned.wait()
        found = self._read(partitions, max_records or _EVERYTHING)
        if not found and timeout_ms:
            await self._cluster.wait_for_arrival(timeout_ms / 1000)
            await self._assigned.wait()
            found = self._read(partitions, max_records or _EVERYTHING)
        return found

    def _read(
        self, partitions: Sequence[TopicPartition], most: int
    ) -> dict[TopicPartition, Sequence[StoredRecord]]:
        found: dict[TopicPartition, Sequence[StoredRecord]] = {}
        for place in partitions or list(self._positions):
            records = self._cluster.log(place).read(self._positions[place], most)
            if records:
                found[place] = records
                self._positions[place] += len(records)
                most -= len(records)
            if most == 0:
                break
        return found

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self._require(partition)
        self._positions[partition] = offset

    async def seek_to_beginning(self, *partitions: TopicPartition) -> None:
        for partition in partitions or tuple(self._positions):
            self.seek(partition, self._cluster.log(partition).start)

    async def position(self, partition: TopicPartition) -> int:
        self._require(partition)
        return self._positions[partition]

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        assert self._group is not None
        for partition in offsets:
            self._require(partition)
        self._group.committed.update(offsets)

    async def committed(self, partition: TopicPartition) -> int | None:
        assert self._group is not None
        return self._group.committed.get(partition)

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {partition: self._cluster.log(partition).end for partition in partitions}

    def assignment(self) -> set[TopicPartition]:
        return set(self._positions)

    def _require(self, partition: TopicPartition) -> None:
        if partition not in self._positions:
            raise IllegalStateError(f"{partition} is not assigned to this consumer")


async def _call(
    listener: Callable[[set[TopicPartition]], Awaitable[None] | None], places: set[TopicPartition]
) -> None:
    waiting = listener(places)
    if waiting is not None:
        await waiting
