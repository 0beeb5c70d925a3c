from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ekiben import Ekiben
from ekiben_bus.memory import MemoryCluster
from ekiben_contracts.topics import PEOPLE, TOPICS, dead_letter_topic


@pytest.fixture
def cluster() -> MemoryCluster:
    cluster = MemoryCluster()
    for topic in TOPICS:
        cluster.create_topic(topic.name, topic.partitions, topic.max_message_bytes)
        for reader in topic.readers:
            if reader not in PEOPLE and not topic.compacted:
                cluster.create_topic(dead_letter_topic(topic.name, reader), topic.partitions)
    return cluster


@pytest.fixture
async def client(cluster: MemoryCluster) -> AsyncIterator[Ekiben]:
    async with Ekiben(cluster=cluster) as client:
        yield client
