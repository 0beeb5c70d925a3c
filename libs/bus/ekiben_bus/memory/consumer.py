"""A consumer of the cluster in memory, with the surface and the semantics of the careful one on aiokafka."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError, OffsetOutOfRangeError
from aiokafka.structs import OffsetAndTimestamp

from ekiben_bus.careful import Gap
from ekiben_bus.forbidden import ForbiddenError
from ekiben_bus.memory.group import Terms
from ekiben_bus.memory.log import StoredRecord
from ekiben_bus.memory.member import GroupMember
from ekiben_bus.memory.wire import Errand, Request

if TYPE_CHECKING:
    from ekiben_bus.memory.cluster import MemoryCluster

_EVERYTHING = 1_000_000_000
_PATIENCE_S = 0.5
_AGAIN_IN_S = 0.1
_LOOK_AGAIN_S = 1.0

Found = Mapping[TopicPartition, Sequence[StoredRecord]]
T = TypeVar("T")


class MemoryConsumer:
    """Reads by group, or by partitions assigned by hand."""

    def __init__(self, cluster: MemoryCluster, group_id: str | None, **options: Any) -> None:
        self.gap: Gap | None = None
        self.trouble: str | None = None
        self.refusal: ForbiddenError | None = None
        self._cluster = cluster
        self._name = group_id or "nobody"
        self._group = cluster.group(group_id) if group_id else None
        self._member: GroupMember | None = None
        self._session_s: float = options.get("session_timeout_ms", 10_000) / 1000
        self._heartbeat_s: float = options.get("heartbeat_interval_ms", 3_000) / 1000
        self._rebalance_s: float = options.get("rebalance_timeout_ms", 10_000) / 1000
        self._topics: Sequence[str] = ()
        self._listener: ConsumerRebalanceListener | None = None
        self._positions: dict[TopicPartition, int] = {}
        self._assigned = asyncio.Event()
        self._stopped = False

    # ---- what to read

    def subscribe(
        self,
        topics: Sequence[str],
        pattern: str | None = None,
        listener: ConsumerRebalanceListener | None = None,
    ) -> None:
        assert pattern is None, "topics are named"
        self._topics = list(topics)
        self._listener = listener

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        self._positions = self._committed_or_first(partitions)
        self._assigned.set()

    def assignment(self) -> set[TopicPartition]:
        return set(self._positions)

    async def start(self) -> None:
        if self._group is not None and self._topics:
            terms = Terms(self._topics, self._session_s, self._rebalance_s)
            self._member = GroupMember(
                self._group, self._name, self._cluster.wire, terms, self._heartbeat_s, self
            )
            self._member.start()
            await self._assigned.wait()

    async def stop(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        if self._member is not None:
            await self._member.stop()

    async def revoke(self) -> None:
        """The group takes everything back, once the listener has let go."""
        self._assigned.clear()
        if self._listener is not None:
            await _call(self._listener.on_partitions_revoked, set(self._positions))

    async def take(self, partitions: set[TopicPartition]) -> None:
        """The group gives a new share: read on from what is committed, or from the start."""
        self._positions = {}
        self._positions = await self._ask(
            Errand.OFFSETS, self._name, lambda: self._committed_or_first(sorted(partitions))
        )
        if self._listener is not None:
            await _call(self._listener.on_partitions_assigned, set(partitions))
        self._assigned.set()

    def _committed_or_first(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        committed = self._group.committed if self._group is not None else {}
        return {place: committed.get(place, self._cluster.log(place).start) for place in partitions}

    # ---- reading

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> Found:
        if self._stopped:
            raise ConsumerStoppedError
        if self.gap is not None:
            await asyncio.sleep(_LOOK_AGAIN_S)
            return {}
        try:
            return await self._poll(partitions, max_records or _EVERYTHING, timeout_ms / 1000)
        except OffsetOutOfRangeError as error:
            self._look_for_gap(error.args[0])
        except KafkaError:
            await asyncio.sleep(_AGAIN_IN_S)  # as aiokafka's fetcher does, who tells nobody
        return {}

    async def _poll(self, partitions: Sequence[TopicPartition], most: int, timeout_s: float) -> Found:
        """An empty fetch waits at the broker for the first record to come."""
        await self._assigned.wait()
        places = partitions or tuple(self._positions)
        if timeout_s and not any(self._has_news(place) for place in places):
            await self._cluster.wait_for_arrival(places, max(timeout_s, _PATIENCE_S))
            await self._assigned.wait()
            if not any(self._has_news(place) for place in self._positions):
                return {}
        return await self._fetch(partitions, most)

    def _has_news(self, place: TopicPartition) -> bool:
        return place in self._positions and self._positions[place] != self._cluster.log(place).end

    async def _fetch(self, partitions: Sequence[TopicPartition], most: int) -> Found:
        """What comes of a position that has moved meanwhile, or is not ours any more, is thrown away."""
        asked = {place: self._positions[place] for place in partitions or self._positions}
        request = Request(Errand.FETCH, next(iter(asked)).topic if asked else "")
        found = await self._cluster.wire.carry(request, lambda: self._read(asked, most))
        await self._assigned.wait()
        kept = {place: records for place, records in found.items() if self._is_at(place, asked[place])}
        for place, records in kept.items():
            # to the end of the order: what is full must not keep the others waiting
            self._positions[place] = self._positions.pop(place) + len(records)
        return kept

    def _is_at(self, place: TopicPartition, offset: int) -> bool:
        return self._positions.get(place) == offset

    def _read(self, asked: Mapping[TopicPartition, int], most: int) -> Found:
        found: dict[TopicPartition, Sequence[StoredRecord]] = {}
        for place, offset in asked.items():
            log = self._cluster.log(place)
            if not log.holds(offset):
                if found:
                    break  # first what can be read, as aiokafka does
                raise OffsetOutOfRangeError({place: offset})
            records = log.read(offset, most)
            if records:
                found[place] = records
                most -= len(records)
            if most == 0:
                break
        return found

    def _look_for_gap(self, asked: Mapping[TopicPartition, int]) -> None:
        ((place, offset),) = asked.items()
        log = self._cluster.log(place)
        if self._group is not None:
            self.gap = Gap(place, offset, log.start, log.end)
        elif place in self._positions:
            self._positions[place] = log.start

    # ---- offsets

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
        member = self._member or GroupMember(
            self._group, self._name, self._cluster.wire, Terms((), 0, 0), self._heartbeat_s, self
        )
        await member.commit(offsets)

    async def committed(self, partition: TopicPartition) -> int | None:
        assert self._group is not None
        kept = self._group.committed
        return await self._ask(Errand.OFFSETS, self._name, lambda: kept.get(partition))

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {partition: self._cluster.log(partition).start for partition in partitions}

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {partition: self._cluster.log(partition).end for partition in partitions}

    async def offsets_for_times(
        self, timestamps: Mapping[TopicPartition, int]
    ) -> Mapping[TopicPartition, OffsetAndTimestamp | None]:
        return {place: self._cluster.log(place).first_since(at_ms) for place, at_ms in timestamps.items()}

    async def _ask(self, errand: Errand, subject: str, do: Callable[[], T]) -> T:
        """Ask until there is an answer, as aiokafka does."""
        while True:
            try:
                return await self._cluster.wire.carry(Request(errand, subject), do)
            except KafkaError:
                await asyncio.sleep(_AGAIN_IN_S)

    def _require(self, partition: TopicPartition) -> None:
        if partition not in self._positions:
            raise IllegalStateError(f"Partition {partition} is not assigned")


async def _call(
    listener: Callable[[set[TopicPartition]], Awaitable[None] | None], places: set[TopicPartition]
) -> None:
    waiting = listener(places)
    if waiting is not None:
        await waiting
