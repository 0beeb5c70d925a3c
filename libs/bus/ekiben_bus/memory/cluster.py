"""The cluster: topics, their logs, the groups, and who waits for records."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from time import time
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import MessageSizeTooLargeError, UnknownTopicOrPartitionError

from ekiben_bus.cluster import Consumer, Producer
from ekiben_bus.memory.consumer import MemoryConsumer
from ekiben_bus.memory.group import Group
from ekiben_bus.memory.log import PartitionLog, StoredRecord
from ekiben_bus.memory.producer import MemoryProducer
from ekiben_contracts.topics import RECORD_LIMIT


class MemoryCluster:
    """Topics in memory. The clock is a parameter, in seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self._logs: dict[str, list[PartitionLog]] = {}
        self._limits: dict[str, int] = {}
        self._groups: dict[str, Group] = {}
        self._arrival = asyncio.Event()
        self.partitions: dict[str, int] = {}

    def create_topic(self, name: str, partitions: int, max_message_bytes: int = RECORD_LIMIT) -> None:
        """Create a topic; for one that exists, set its record limit."""
        self._logs.setdefault(name, [PartitionLog() for _ in range(partitions)])
        self.partitions.setdefault(name, partitions)
        self._limits[name] = max_message_bytes

    def consumer(self, **options: Any) -> Consumer:
        """A consumer; of aiokafka's options only group_id counts here."""
        return MemoryConsumer(self, options.get("group_id"))

    def producer(self) -> Producer:
        return MemoryProducer(self)

    def group(self, name: str) -> Group:
        return self._groups.setdefault(name, Group(self.partitions))

    def log(self, partition: TopicPartition) -> PartitionLog:
        """The log of a partition.

        Raises:
            UnknownTopicOrPartitionError: there is none.
        """
        logs = self._logs.get(partition.topic, [])
        if partition.partition >= len(logs):
            raise UnknownTopicOrPartitionError(f"{partition.topic}-{partition.partition}")
        return logs[partition.partition]

    def append(
        self,
        partition: TopicPartition,
        records: Sequence[tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]],
    ) -> None:
        """Add records (key, value, headers) to a partition, all or none.

        Raises:
            MessageSizeTooLargeError: one is larger than the topic allows.
        """
        log = self.log(partition)
        now = int(self._clock() * 1000)
        stored = [
            StoredRecord(partition.topic, partition.partition, log.end + n, now, key, value, tuple(headers))
            for n, (key, value, headers) in enumerate(records)
        ]
        if any(record.size > self._limits[partition.topic] for record in stored):
            raise MessageSizeTooLargeError(f"{partition.topic} allows {self._limits[partition.topic]} bytes")
        log.records.extend(stored)
        arrived, self._arrival = self._arrival, asyncio.Event()
        arrived.set()

    async def wait_for_arrival(self, timeout_s: float) -> None:
        """Return when anything was appended anywhere, or after the timeout."""
        # not asyncio.wait_for: before Python 3.12 it swallows a cancellation that meets the event
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._arrival.wait()
