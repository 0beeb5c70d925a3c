"""A cluster in memory with every topic, and a client of it."""

from __future__ import annotations

import pytest

from ekiben import Ekiben
from ekiben_bus.memory import MemoryCluster
from ekiben_contracts.topics import HEADROOM, TOPICS, side_purposes, side_topic


@pytest.fixture
def cluster():
    cluster = MemoryCluster()
    for topic in TOPICS:
        cluster.create_topic(topic.name, topic.partitions, topic.max_message_bytes)
        for reader in topic.readers:
            for purpose in side_purposes(topic, reader):
                name = side_topic(topic.name, reader, purpose)
                cluster.create_topic(name, topic.partitions, topic.max_message_bytes + HEADROOM)
    return cluster


@pytest.fixture
async def ekiben(cluster):
    async with Ekiben(cluster=cluster) as ekiben:
        yield ekiben
