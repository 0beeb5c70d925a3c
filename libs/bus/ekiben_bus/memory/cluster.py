"""The cluster: topics, their logs, the groups, and who waits for records."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextvars import copy_context
from time import time
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import MessageSizeTooLargeError, OutOfOrderSequenceNumber, UnknownTopicOrPartitionError

from ekiben_bus.cluster import Consumer, Producer
from ekiben_bus.memory.consumer import MemoryConsumer
from ekiben_bus.memory.group import Group
from ekiben_bus.memory.log import NewRecord, PartitionLog, StoredRecord
from ekiben_bus.memory.producer import MemoryProducer
from ekiben_bus.memory.wire import PerfectWire, Wire
from ekiben_contracts.envelope import Headers
from ekiben_contracts.topics import RECORD_LIMIT


class MemoryCluster:
    """Topics in memory. The clock is a parameter, in seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time, wire: Wire | None = None) -> None:
        self.wire = wire or PerfectWire()
        self.partitions: dict[str, int] = {}
        self._clock = clock
        self._context = copy_context()
        self._logs: dict[str, list[PartitionLog]] = {}
        self._limits: dict[str, int] = {}
        self._groups: dict[str, Group] = {}
        self._producers = 0
        self._next_numbers: dict[tuple[int, TopicPartition], int] = {}
        self._waiting: defaultdict[TopicPartition, list[asyncio.Future[None]]] = defaultdict(list)

    def create_topic(self, name: str, partitions: int, max_message_bytes: int = RECORD_LIMIT) -> None:
        """Create a topic; for one that exists, set its record limit."""
        self._logs.setdefault(name, [PartitionLog() for _ in range(partitions)])
        self.partitions.setdefault(name, partitions)
        self._limits[name] = max_message_bytes

    def consumer(self, **options: Any) -> Consumer:
        """A consumer; of aiokafka's options those of its group count here."""
        return MemoryConsumer(self, **{"group_id": None, **options})

    def producer(self) -> Producer:
        return MemoryProducer(self)

    def group(self, name: str) -> Group:
        return self._groups.setdefault(name, Group(self.partitions, self._context))

    def now_ms(self) -> int:
        """What a producer stamps its records with."""
        return int(self._clock() * 1000)

    def new_producer_id(self) -> int:
        self._producers += 1
        return self._producers

    def log(self, partition: TopicPartition) -> PartitionLog:
        """The log of a partition.

        Raises:
            UnknownTopicOrPartitionError: there is none.
        """
        logs = self._logs.get(partition.topic, [])
        if partition.partition >= len(logs):
            raise UnknownTopicOrPartitionError(f"{partition.topic}-{partition.partition}")
        return logs[partition.partition]

    def receive(
        self, producer: int, number: int, partition: TopicPartition, records: Sequence[NewRecord]
    ) -> None:
        """Append the batch that a producer numbered so: once, and never one that follows a gap.

        Raises:
            OutOfOrderSequenceNumber: the batch before it has not come.
            MessageSizeTooLargeError: one of its records is larger than the topic allows.
        """
        expected = self._next_numbers.get((producer, partition), 0)
        if number > expected:
            raise OutOfOrderSequenceNumber
        if number == expected:
            self.keep(partition, records)
            self._next_numbers[producer, partition] = number + 1

    def append(
        self,
        partition: TopicPartition,
        records: Sequence[tuple[bytes | None, bytes | None, Headers]],
    ) -> None:
        """Add records (key, value, headers) to a partition, all or none.

        Raises:
            MessageSizeTooLargeError: one is larger than the topic allows.
        """
        now = self.now_ms()
        self.keep(partition, [NewRecord(now, key, value, headers) for key, value, headers in records])

    def keep(self, partition: TopicPartition, records: Sequence[NewRecord]) -> None:
        log = self.log(partition)
        stored = [
            StoredRecord(*partition, log.end + n, new.timestamp, new.key, new.value, tuple(new.headers))
            for n, new in enumerate(records)
        ]
        if any(record.size > self._limits[partition.topic] for record in stored):
            raise MessageSizeTooLargeError(f"{partition.topic} allows {self._limits[partition.topic]} bytes")
        log.records.extend(stored)
        for arrived in self._waiting.pop(partition, []):
            if not arrived.done():
                arrived.set_result(None)

    async def wait_for_arrival(self, partitions: Iterable[TopicPartition], timeout_s: float) -> None:
        """Return when something was appended to one of these partitions, or after the timeout."""
        arrived = asyncio.get_running_loop().create_future()
        for partition in partitions:
            self._waiting[partition] = [f for f in self._waiting[partition] if not f.done()] + [arrived]
        # not asyncio.wait_for: before Python 3.12 it swallows a cancellation that meets the event
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await arrived
