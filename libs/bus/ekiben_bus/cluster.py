"""The port to a Kafka cluster: as much of aiokafka as the bus uses, so that a fake can stand in.

`KafkaCluster` is the real one; `ekiben_bus.memory.MemoryCluster` passes the same conformance suite.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.structs import OffsetAndTimestamp

from ekiben_bus.careful import CarefulConsumer, Gap
from ekiben_bus.connection import client_options
from ekiben_bus.diagnosing import refusals_told
from ekiben_bus.forbidden import ForbiddenError
from ekiben_bus.packing import PackingProducer
from ekiben_bus.principals import principal_of
from ekiben_bus.records import Record
from ekiben_bus.settings import KafkaSettings
from ekiben_contracts.envelope import Headers
from ekiben_contracts.topics import LARGEST_RECORD

BATCH_BYTES = 512 * 1024
"""Of one produced batch. Larger than aiokafka's 16 KiB, below the record limit of every topic."""


class Consumer(Protocol):
    """What the bus asks of a consumer. Semantics and names are those of aiokafka's.

    `gap` is where its log does not hold what its group has to read next, once that is found; `trouble`
    why the last read failed, and `refusal` the right that it lacked.
    """

    gap: Gap | None
    trouble: str | None
    refusal: ForbiddenError | None

    def subscribe(
        self,
        topics: Sequence[str],
        pattern: str | None = None,
        listener: ConsumerRebalanceListener | None = None,
    ) -> None: ...
    def assign(self, partitions: Sequence[TopicPartition]) -> None: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = ..., max_records: int | None = ...
    ) -> Mapping[TopicPartition, Sequence[Record]]: ...
    def seek(self, partition: TopicPartition, offset: int) -> None: ...
    async def seek_to_beginning(self, *partitions: TopicPartition) -> object: ...
    async def position(self, partition: TopicPartition) -> int: ...
    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None: ...
    async def committed(self, partition: TopicPartition) -> int | None: ...
    async def beginning_offsets(
        self, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int]: ...
    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]: ...
    async def offsets_for_times(
        self, timestamps: Mapping[TopicPartition, int]
    ) -> Mapping[TopicPartition, OffsetAndTimestamp | None]: ...
    def assignment(self) -> frozenset[TopicPartition] | set[TopicPartition]: ...


class Batch(Protocol):
    """Records for one partition, produced as one unit."""

    def append(
        self,
        *,
        timestamp: int | None,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
    ) -> object | None: ...


class Producer(Protocol):
    """What the bus asks of a producer."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def partitions_for(self, topic: str) -> set[int]: ...
    def create_batch(self) -> Batch: ...
    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Awaitable[object]: ...


class Cluster(Protocol):
    """Where consumers and producers come from."""

    def consumer(self, **options: Any) -> Consumer: ...
    def producer(self) -> Producer: ...


class KafkaCluster:
    """A real Kafka cluster, reached with one set of connection settings."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._options = client_options(settings)
        self._telling = partial(refusals_told, settings, self._options)
        self._principal = principal_of(settings)

    def consumer(self, **options: Any) -> Consumer:
        # ours last: FastStream gives every consumer a client id of its own
        return CarefulConsumer(self._telling, principal=self._principal, **{**options, **self._options})

    def producer(self) -> Producer:
        """Idempotent, waiting for every replica in sync, with batches of up to 512 KiB."""
        return PackingProducer(
            self._telling,
            principal=self._principal,
            **self._options,
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES,
            max_request_size=LARGEST_RECORD,
            request_timeout_ms=15_000,
        )
