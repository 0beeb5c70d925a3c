"""A live table: complete before anybody looks, and true to the topic afterwards."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiokafka import TopicPartition

from ekiben_bus.memory import MemoryCluster
from ekiben_bus.table import LiveTable
from ekiben_contracts.cloudevents import encode
from ekiben_contracts.routing import EnsembleDefined
from ekiben_contracts.topics import ROUTES

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class GatedCluster(MemoryCluster):
    """Its consumers get records only while the gate is open."""

    def __init__(self):
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()

    def consumer(self, **options):
        consumer = super().consumer(**options)
        read = consumer.getmany

        async def gated(*places, **rest):
            await self.gate.wait()
            return await read(*places, **rest)

        consumer.getmany = gated
        return consumer


@pytest.fixture
def cluster():
    cluster = GatedCluster()
    cluster.create_topic(ROUTES.name, 1)
    return cluster


def write(cluster, name: str, revision: int = 1, value: bytes | None = b"") -> None:
    event = EnsembleDefined(ensemble=name, revision=revision, members=["a"], method="average", defined_at=NOW)
    encoded, headers = encode(event, id=f"{name}/{revision}", source="/test", time=NOW)
    record = (event.key.encode(), encoded if value == b"" else value, headers)
    cluster.append(TopicPartition(ROUTES.name, 0), [record])


@asynccontextmanager
async def open_table(cluster):
    table = LiveTable(ROUTES, ROUTES.name, cluster)
    await table.start(1)
    try:
        yield table
    finally:
        await table.stop()


async def test_it_is_complete_once_it_has_started(cluster):
    for n in range(50):
        write(cluster, f"e{n}")
    cluster.gate.clear()
    table = LiveTable(ROUTES, ROUTES.name, cluster)
    starting = asyncio.create_task(table.start(1))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not starting.done()
    cluster.gate.set()
    await starting
    assert len(table.rows) == 50
    await table.stop()


async def test_catching_up_reads_what_was_written_before_it(cluster):
    async with open_table(cluster) as table:
        write(cluster, "late")
        await table.catch_up()
        assert table.get("ensemble/late") is not None


async def test_a_record_without_a_value_takes_its_key_away(cluster):
    async with open_table(cluster) as table:
        write(cluster, "gone")
        write(cluster, "gone", value=None)
        await table.catch_up()
        assert table.get("ensemble/gone") is None


async def test_a_record_that_cannot_be_read_leaves_the_row_before_it(cluster):
    async with open_table(cluster) as table:
        write(cluster, "kept", revision=4)
        write(cluster, "kept", value=b"not json")
        await table.catch_up()
        assert table.get("ensemble/kept").revision == 4


async def test_catching_up_gives_up_in_time(cluster):
    async with open_table(cluster) as table:
        cluster.gate.clear()
        write(cluster, "unseen")
        write(cluster, "unseen", revision=2)
        with pytest.raises(TimeoutError):
            await table.catch_up(timeout_s=0.1)
        cluster.gate.set()


async def test_a_table_that_is_not_followed_says_so(cluster):
    async with open_table(cluster) as table:
        assert table.problem is None
    assert "not followed" in table.problem
