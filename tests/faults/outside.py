"""A client of Kafka that knows nothing of Ekiben: it writes any bytes, and reads whole topics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, Producer, TopicPartition

from unit.bus.raw_batches import RawNames

LARGEST = 8 * 1024 * 1024
_FLUSHED_WITHIN_S = 30.0


class Place(NamedTuple):
    """Where a record lies."""

    partition: int
    offset: int


class Read(NamedTuple):
    """A record as it was read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    at_ms: int

    def header(self, name: str) -> str:
        """The last header of a name, as text."""
        return (dict(self.headers)[name] or b"").decode()


class Writer:
    """Writes records one by one, and tells where each came to lie, or that the broker refused it."""

    def __init__(
        self, bootstrap: str, places: dict[str, Place | None] | None = None, **options: object
    ) -> None:
        limits = {"message.max.bytes": LARGEST, "batch.size": 500_000, "linger.ms": 5, "log_level": 2}
        self._bootstrap = bootstrap
        self._producer = Producer({"bootstrap.servers": bootstrap, **limits, **options})
        self.places: dict[str, Place | None] = {} if places is None else places

    def write(
        self,
        name: str,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes | None]] = (),
        at_ms: int | None = None,
    ) -> None:
        """Write a record; `places` has it by its name after `flush`."""

        def delivered(error: KafkaError | None, message: Message) -> None:
            refused = error is not None and error.code() == KafkaError.MSG_SIZE_TOO_LARGE
            assert error is None or refused, f"{name}: {error}"
            self.places[name] = None if error else Place(message.partition() or 0, message.offset() or 0)

        while len(self._producer) > 500:
            self._producer.poll(0.1)
        self._producer.produce(
            topic,
            value,
            key,
            partition=partition,
            headers=list(headers),
            timestamp=at_ms or 0,
            on_delivery=delivered,
        )

    def poll(self) -> None:
        """Hear of what has its place by now."""
        self._producer.poll(0)

    def flush(self) -> None:
        """Return once every record has its place."""
        assert self._producer.flush(_FLUSHED_WITHIN_S) == 0

    async def write_raw(
        self,
        name: str,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str | bytes, bytes | None]],
    ) -> None:
        """Write a record some of whose header names are bytes."""
        async with AIOKafkaProducer(bootstrap_servers=self._bootstrap) as producer:
            batch = producer.create_batch()
            names = batch._builder = RawNames(batch._builder)
            named = [(n if isinstance(n, str) else names.stand_in(n), header) for n, header in headers]
            assert batch.append(timestamp=None, key=key, value=value, headers=named)
            written = await (await producer.send_batch(batch, topic, partition=partition))
        self.places[name] = Place(written.partition, written.offset)


class Reader:
    """Everything that is on some topics, in the order it was read."""

    def __init__(self, bootstrap: str, *topics: str) -> None:
        self.records: list[Read] = []
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "outside",
                "fetch.message.max.bytes": LARGEST,
                "log_level": 2,
            }
        )
        known = self._consumer.list_topics(timeout=10).topics
        self._consumer.assign(
            [
                TopicPartition(name, number, OFFSET_BEGINNING)
                for name in topics
                for number in known[name].partitions
            ]
        )

    def close(self) -> None:
        self._consumer.close()

    def of(self, topic: str) -> list[Read]:
        """What was read of one topic."""
        return [record for record in self.records if record.topic == topic]

    async def until(self, enough: Callable[[], object], within_s: float) -> None:
        """Read on until there is enough, or the time is over: what is missing then is the caller's to say."""
        deadline = time.monotonic() + within_s
        while not enough() and time.monotonic() < deadline:
            await self.poll(0.2)

    async def settle(self, quiet_s: float) -> None:
        """Read on until nothing has come for a while: what should not come has had its chance."""
        while True:
            before = len(self.records)
            await self.poll(quiet_s)
            if len(self.records) == before:
                return

    async def poll(self, seconds: float) -> None:
        """Read what comes within the time."""
        for message in await asyncio.to_thread(self._consumer.consume, 1_000, seconds):
            assert message.error() is None, message.error()
            self.records.append(
                Read(
                    message.topic() or "",
                    message.partition() or 0,
                    message.offset() or 0,
                    message.key(),
                    message.value(),
                    tuple(message.headers() or ()),
                    message.timestamp()[1],
                )
            )
