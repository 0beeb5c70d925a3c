"""A slow model grows lag, never memory."""

from __future__ import annotations

import asyncio
import gc
import json
import secrets
import time
from collections.abc import AsyncIterator, Sequence

import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from conformance.conftest import KafkaTopics
from conformance.test_bus import PARTITIONS, answer_all, ask, ids, publish, results, running, topics
from conformance.world import World, until
from conftest import delete_topics
from ekiben_bus.backlog import BATCH_BYTES
from ekiben_bus.cluster import KafkaCluster
from ekiben_bus.records import Received
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.verdicts import Verdict
from ekiben_contracts.topics import LARGEST_RECORD
from faults.conftest import Attack

__all__ = ["topics"]  # a fixture

MIB = 1024 * 1024
RECORDS = 240
RECORD_BYTES = 512 * 1024


@pytest.fixture
async def world(kafka_settings: KafkaSettings) -> AsyncIterator[World]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_settings.bootstrap_servers)
    await admin.start()
    prefix = f"test-{secrets.token_hex(4)}."
    yield World(KafkaCluster(kafka_settings), KafkaTopics(admin), prefix)
    await admin.close()
    await delete_topics(kafka_settings, prefix)


async def test_a_slow_model(world: World, topics: None, attack: Attack):
    body = json.loads(ask(0).value or b"")
    for start in range(0, RECORDS, 24):
        padded = [
            ask(
                n,
                value=json.dumps(
                    {**body, "request_id": f"r{n}", "time_horizon": "x" * RECORD_BYTES}
                ).encode(),
            )
            for n in range(start, start + 24)
        ]
        await publish(world, *padded)
    asked_at: list[int] = []
    entered, proceed = asyncio.Event(), asyncio.Event()

    async def slow(batch: Sequence[Received]) -> Sequence[Verdict]:
        asked_at.append(sum(len(received.record.value or b"") for received in batch))
        entered.set()
        await proceed.wait()
        return await answer_all(batch)

    gc.collect()
    process = psutil.Process()
    before = process.memory_info().rss
    most = 0
    async with running(world, slow):
        await until(entered.is_set)
        waiting_since = time.monotonic()
        while time.monotonic() < waiting_since + 5:  # time enough to fetch all, for whoever would
            most = max(most, process.memory_info().rss - before)
            await asyncio.sleep(0.05)
        proceed.set()
        found = set(ids(await world.read(results(world), PARTITIONS, RECORDS)))
    expected = {f"r{n}/result/1" for n in range(RECORDS)}
    attack.report(
        records=RECORDS,
        faults=1,
        lost=len(expected - found),
        duplicated=len(found - expected),
        out_of_order=0,
        recovered_s=[time.monotonic() - waiting_since],
    )
    assert found == expected
    assert max(asked_at) <= BATCH_BYTES + LARGEST_RECORD
    assert most < RECORDS * RECORD_BYTES / 3, f"{most / MIB:.0f} MiB for a backlog of {RECORDS / 2} MiB"
    print(f"largest batch {max(asked_at) / MIB:.1f} MiB, memory grew by {most / MIB:.0f} MiB")
