"""Each conformance test runs thrice: in memory, there over the simulation's wire, and on real Kafka."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from random import Random

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from conformance.world import DEADLINE_S, World
from ekiben_bus.cluster import KafkaCluster
from ekiben_bus.memory import MemoryCluster
from ekiben_bus.settings import KafkaSettings
from simulation.clock import calendar
from simulation.trace import Trace
from simulation.weather import Climate, Weather


class KafkaTopics:
    def __init__(self, admin: AIOKafkaAdminClient) -> None:
        self._admin = admin

    async def create(self, name: str, partitions: int, max_message_bytes: int) -> None:
        config = {"max.message.bytes": str(max_message_bytes)}
        await self._admin.create_topics([NewTopic(name, partitions, 1, topic_configs=config)])

    async def allow(self, name: str, max_message_bytes: int) -> None:
        limit = {"max.message.bytes": str(max_message_bytes)}
        await self._alter(name, limit)
        # a broker shows a setting a moment before it keeps to it, but the next one only after that
        await self._alter(name, {**limit, "retention.ms": "-1"})

    async def _alter(self, name: str, config: dict[str, str]) -> None:
        await self._admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=config)])
        async with asyncio.timeout(DEADLINE_S):
            while not config.items() <= (await self._config(name)).items():
                await asyncio.sleep(0.01)

    async def _config(self, name: str) -> dict[str, str]:
        (answer,) = await self._admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
        (topic,) = answer.to_object()["resources"]
        return {entry["config_names"]: entry["config_value"] for entry in topic["config_entries"]}

    async def delete_before(self, place: TopicPartition, offset: int) -> None:
        await self._admin.delete_records({place: RecordsToDelete(before_offset=offset)})


class MemoryTopics:
    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster

    async def create(self, name: str, partitions: int, max_message_bytes: int) -> None:
        self._cluster.create_topic(name, partitions, max_message_bytes)

    async def allow(self, name: str, max_message_bytes: int) -> None:
        self._cluster.create_topic(name, self._cluster.partitions[name], max_message_bytes)

    async def delete_before(self, place: TopicPartition, offset: int) -> None:
        self._cluster.log(place).delete_before(offset)


SLUGGISH = Climate(latency_s=0.004, slow=0.02, slow_s=0.1)


def simulated_wire() -> Weather:
    """That of the simulation, where requests overtake one another, and none is lost."""
    weather = Weather(Random(7), SLUGGISH, Trace(asyncio.get_running_loop()))
    weather.is_stormy = True
    return weather


KINDS = [
    pytest.param("memory", marks=pytest.mark.virtual_time),
    pytest.param("simulated", marks=pytest.mark.virtual_time),
    pytest.param("kafka", marks=pytest.mark.kafka),
]


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    prefix = f"test-{uuid.uuid4().hex[:8]}."
    if request.param != "kafka":
        wire = simulated_wire() if request.param == "simulated" else None
        cluster = MemoryCluster(lambda: calendar().timestamp(), wire)
        yield World(cluster, MemoryTopics(cluster), prefix, calendar, has_network=False)
        return
    bootstrap = request.getfixturevalue("kafka").bootstrap_servers
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        cluster = KafkaCluster(KafkaSettings(bootstrap_servers=bootstrap))
        yield World(cluster, KafkaTopics(admin), prefix)
    finally:
        await admin.delete_topics([name for name in await admin.list_topics() if name.startswith(prefix)])
        await admin.close()
