"""A producer whose large batches are compressed: what came in must go out again.

A broker measures a batch as it travels, so that a compressed record larger than the limit of its
topic comes in. Its dead letter, or itself on its way to another lane, is refused unless it is
compressed as well: the flow would stop at it for ever.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import nullcontext
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.structs import RecordMetadata

from ekiben_bus.careful import Telling
from ekiben_bus.forbidden import refusals_named
from ekiben_bus.principals import ANONYMOUS
from ekiben_contracts.topics import RECORD_LIMIT


class PackingProducer(AIOKafkaProducer):
    """Sends a batch as it is unless it is larger than the record limit: then it is one large record."""

    def __init__(self, telling: Telling = nullcontext, *, principal: str = ANONYMOUS, **options: Any) -> None:
        super().__init__(**options)
        self._telling = telling
        self._principal = principal

    async def start(self) -> None:
        async with self._telling():
            await super().start()

    async def partitions_for(self, topic: str) -> set[int]:
        """See AIOKafkaProducer.partitions_for."""
        with refusals_named(self._principal, "Describe", topic):
            return await super().partitions_for(topic)

    async def send_batch(
        self, batch: BatchBuilder, topic: str, *, partition: int
    ) -> Awaitable[RecordMetadata]:
        """See AIOKafkaProducer.send_batch."""
        sent = pack(batch) if batch.size() > RECORD_LIMIT else batch
        with refusals_named(self._principal, "Write", topic):
            return self._told(await super().send_batch(sent, topic, partition=partition), topic)

    async def _told(self, sent: Awaitable[RecordMetadata], topic: str) -> RecordMetadata:
        with refusals_named(self._principal, "Write", topic):
            return await sent


def pack(batch: BatchBuilder) -> BatchBuilder:
    """The same records, compressed by zstd: the strongest that Kafka knows, and the widest window."""
    packed = BatchBuilder(batch.size(), DefaultRecordBatch.CODEC_ZSTD)
    for record in DefaultRecordBatch(bytes(batch._build())):  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        packed.append(timestamp=record.timestamp, key=record.key, value=record.value, headers=record.headers)
    return packed
