"""Whole services on a cluster in memory: publish records, read what came of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from aiokafka import TopicPartition

from ekiben_bus.memory import MemoryCluster, StoredRecord
from ekiben_bus.service import Service
from ekiben_bus.settings import ServiceSettings
from ekiben_contracts.cloudevents import decode, encode
from ekiben_contracts.event import Event
from ekiben_contracts.topics import HEADROOM, ROUTES, TOPICS, Topic, side_purposes, side_topic

QUICK = ServiceSettings(backoff_s=0.01, longest_backoff_s=0.02, commit_interval_s=0.02)
PORTLESS = QUICK.model_copy(update={"health_port": None})  # virtual time has no network
DEADLINE_S = 20.0


class Kafka:
    """A cluster in memory with every topic of the contracts."""

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.cluster = MemoryCluster(lambda: clock().timestamp())
        for topic in TOPICS:
            self.cluster.create_topic(topic.name, topic.partitions, topic.max_message_bytes)
            for reader in topic.readers:
                for purpose in side_purposes(topic, reader):
                    name = side_topic(topic.name, reader, purpose)
                    self.cluster.create_topic(name, topic.partitions, topic.max_message_bytes + HEADROOM)

    def route(self, *events: Event) -> None:
        """Write routes, as the deployer does."""
        for event in events:
            self.send(ROUTES, event, key=event.key.encode(), partition=0)

    def send(
        self, topic: Topic, event: Event, *, id: str = "ce-1", key: bytes = b"UA1", partition: int = 1
    ) -> None:
        """Write an event in binary mode."""
        value, headers = encode(event, id=id, source="/test", time=datetime(2026, 3, 1, tzinfo=UTC))
        self.send_bytes(topic, value, *headers, key=key, partition=partition)

    def send_bytes(
        self, topic: Topic, value, *headers, key: bytes | None = b"UA1", partition: int = 1
    ) -> None:
        """Write a record as it is."""
        self.cluster.append(TopicPartition(topic.name, partition), [(key, value, headers)])

    def records(self, topic: str) -> list[StoredRecord]:
        """All that is on a topic, partition by partition."""
        partitions = range(self.cluster.partitions[topic])
        return [record for p in partitions for record in self.cluster.log(TopicPartition(topic, p)).records]

    async def read(self, topic: str, expected: int) -> list[StoredRecord]:
        """The records of a topic, as soon as there are so many."""
        await until(lambda: len(self.records(topic)) >= expected)
        return self.records(topic)

    async def events(self, topic: Topic, expected: int) -> list[Event]:
        """The events of a topic, as soon as there are so many."""
        found = await self.read(topic.name, expected)
        return [decode(record.value, record.headers, topic).data for record in found]


@asynccontextmanager
async def running(*services: Service) -> AsyncIterator[None]:
    """Run services until the end of the block, then drain them."""
    serving = [asyncio.create_task(service.serve()) for service in services]
    try:
        yield
    finally:
        for service in services:
            service.stop()
        await asyncio.gather(*serving)


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition; TimeoutError when it does not come."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            if condition():
                return
            await asyncio.sleep(0.005)
