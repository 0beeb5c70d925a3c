"""Clients of a secured broker end within a moment, whatever they have on their way."""

from __future__ import annotations

import asyncio
import random

import pytest
import uvloop

from ekiben_bus.cluster import KafkaCluster
from ekiben_bus.table import LiveTable
from ekiben_bus.topics import apply_topics
from ekiben_contracts.topics import DEPLOYMENT_EVENTS
from integration.security.secure_kafka import ADMIN, SecureKafka

pytestmark = pytest.mark.kafka
_MANY = 60
_ROUNDS = 3
_WITHIN_S = 15.0
"""Half of what a goodbye that is lost takes on uvloop, which is one in thirty."""


def test_readers_that_wait_for_records_end_at_once(secure_kafka: SecureKafka):
    uvloop.run(_open_and_close(secure_kafka))


async def _open_and_close(secure_kafka: SecureKafka) -> None:
    admin, draw = secure_kafka.scram(ADMIN), random.Random(7)
    await apply_topics(admin, topics=[DEPLOYMENT_EVENTS])
    cluster = KafkaCluster(admin)
    for _ in range(_ROUNDS):
        tables = [LiveTable(DEPLOYMENT_EVENTS, DEPLOYMENT_EVENTS.name, cluster) for _ in range(_MANY)]
        await asyncio.gather(*(table.start(1) for table in tables))
        async with asyncio.timeout(_WITHIN_S):
            await asyncio.gather(*(_stop_later(table, draw.random() / 10) for table in tables))


async def _stop_later(table: LiveTable, seconds: float) -> None:
    await asyncio.sleep(seconds)  # at any moment of the fetch that is on its way
    await table.stop()
