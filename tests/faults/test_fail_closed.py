"""What cannot be committed, published or kept stops the flow; it goes on by itself, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import secrets
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from msgspec.structs import replace

from conformance.conftest import KafkaTopics
from conformance.test_bus import (
    GROUP,
    PARTITIONS,
    answer,
    answer_all,
    ask,
    graveyard,
    ids,
    publish,
    requests,
    results,
    running,
    topics,
)
from conformance.world import World, until
from ekiben_bus.brokers.embedded import EmbeddedKafka
from ekiben_bus.cluster import KafkaCluster
from ekiben_bus.membership import SESSION_TIMEOUT_S
from ekiben_bus.records import Received
from ekiben_bus.service import Service
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.verdicts import Emit, Verdict
from ekiben_contracts.topics import HEADROOM, RECORD_LIMIT
from faults.conftest import Attack

__all__ = ["topics"]  # a fixture

REQUESTS = 300
ENDED = ("ekiben_batches_failed_total", "ekiben_records_total")


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """A broker of the test's own, to break."""
    with EmbeddedKafka(tmp_path / "kafka") as broker:
        yield broker


@pytest.fixture
async def admin(kafka: EmbeddedKafka) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
async def world(kafka: EmbeddedKafka, admin: AIOKafkaAdminClient) -> World:
    cluster = KafkaCluster(KafkaSettings(bootstrap_servers=kafka.bootstrap_servers))
    return World(cluster, KafkaTopics(admin), f"test-{secrets.token_hex(4)}.")


async def everything_answered(world: World, attack: Attack, faults: int, began: float) -> Counter[str]:
    """Wait for an answer to each request, check and report; how often each was written."""
    expected = {f"r{n}/result/1" for n in range(REQUESTS)}
    found: Counter[str] = Counter()
    with contextlib.suppress(TimeoutError):
        while expected - found.keys():  # some may be there twice
            found = Counter(ids(await world.read(results(world), PARTITIONS, found.total() + 1, 60)))
    attack.report(
        records=REQUESTS,
        faults=faults,
        lost=len(expected - found.keys()),
        duplicated=len(found.keys() - expected),
        out_of_order=0,
        recovered_s=[time.monotonic() - began],
    )
    assert found.keys() == expected
    return found


async def committed(world: World) -> int:
    return sum(
        [await world.committed(world.prefix + GROUP, requests(world), n) or 0 for n in range(PARTITIONS)]
    )


def count(service: Service, name: str, topic: str) -> float:
    return service.registry.get_sample_value(name, {"topic": topic}) or 0


async def test_refused_commits(world: World, admin: AIOKafkaAdminClient, topics: None, attack: Attack):
    async def allow_commits(most_bytes: int) -> None:
        config = {"max.message.bytes": str(most_bytes), "cleanup.policy": "compact"}
        await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, "__consumer_offsets", configs=config)]
        )

    async with running(world, answer_all, batch_records=10) as service:
        await publish(world, *(ask(n) for n in range(100)))
        await world.read(results(world), PARTITIONS, 100)
        await allow_commits(1)
        await publish(world, *(ask(n) for n in range(100, 200)))
        await world.read(results(world), PARTITIONS, 200)
        refused_at = time.monotonic()
        await until(lambda: time.monotonic() > refused_at + SESSION_TIMEOUT_S)
        await publish(world, *(ask(n) for n in range(200, REQUESTS)))
        await until(lambda: count(service, "ekiben_batches_failed_total", requests(world)), 60)
        began = time.monotonic()
        await allow_commits(RECORD_LIMIT)
        await everything_answered(world, attack, 1, began)
    assert await committed(world) == REQUESTS


async def test_a_full_disk(world: World, kafka: EmbeddedKafka, topics: None, attack: Attack):
    async def answer_at_length(batch: Sequence[Received]) -> Sequence[Verdict]:
        outgoing = [answer(received) for received in batch]
        return [
            Emit((replace(one, event=one.event.model_copy(update={"message": "x" * 8_000})),))
            for one in outgoing
        ]

    async with running(world, answer_at_length, batch_records=20, batch_timeout_s=8.0) as service:
        await publish(world, *(ask(n) for n in range(30)))
        await world.read(results(world), PARTITIONS, 30)
        # as on a full disk, the broker's writes fail from some size of its files on
        assert kafka.pid is not None
        resource.prlimit(kafka.pid, resource.RLIMIT_FSIZE, (400_000, 400_000))
        await publish(world, *(ask(n) for n in range(30, REQUESTS)))
        await until(lambda: count(service, "ekiben_batches_failed_total", requests(world)), 90)
        assert count(service, "ekiben_records_total", requests(world)) < REQUESTS
        began = time.monotonic()
        await asyncio.to_thread(kafka.stop)
        await asyncio.to_thread(kafka.start)
        await everything_answered(world, attack, 1, began)
    assert await committed(world) == REQUESTS


async def test_a_dead_letter_topic_that_cannot_be_written(world: World, topics: None, attack: Attack):
    await world.topics.allow(graveyard(world), 1)
    await publish(world, *(ask(n, partition=0) for n in range(100)))
    await publish(world, ask(0, partition=0, value=b"\xff not JSON"))
    async with running(world, answer_all, batch_records=20) as service:
        await until(lambda: count(service, "ekiben_batches_failed_total", requests(world)) >= 3)
        await publish(world, *(ask(n, partition=0) for n in range(100, REQUESTS)))
        assert set(ids(await world.read(results(world), PARTITIONS, 0))) <= {
            f"r{n}/result/1" for n in range(100)
        }
        assert "dlq" in " ".join(service._problems())
        began = time.monotonic()
        await world.topics.allow(graveyard(world), RECORD_LIMIT + HEADROOM)
        await everything_answered(world, attack, 1, began)
        (dead,) = await world.read(graveyard(world), PARTITIONS, 1)
    assert dead.value == b"\xff not JSON"
    assert await committed(world) == REQUESTS + 1


async def test_a_consumer_that_was_expelled_publishes_nothing(world: World, topics: None, attack: Attack):
    blocked, taken_over, over = threading.Event(), threading.Event(), threading.Event()

    async def blocks_once(batch: Sequence[Received]) -> Sequence[Verdict]:
        if not blocked.is_set():
            blocked.set()
            taken_over.wait(
                60
            )  # a rude handler: no heartbeat leaves its process, and the group goes on without it
        return await answer_all(batch)

    async def next_owner() -> None:
        await asyncio.to_thread(blocked.wait)
        async with running(world, answer_all):
            await world.read(results(world), PARTITIONS, REQUESTS)
            taken_over.set()
            await asyncio.to_thread(over.wait)

    await publish(world, *(ask(n) for n in range(REQUESTS)))
    elsewhere = threading.Thread(target=asyncio.run, args=(next_owner(),))
    elsewhere.start()
    try:
        async with running(world, blocks_once) as service:
            await until(lambda: any(count(service, name, requests(world)) for name in ENDED))
            await everything_answered(world, attack, 1, time.monotonic())
            assert len(await world.read(results(world), PARTITIONS, REQUESTS)) == REQUESTS
    finally:
        over.set()
        await asyncio.to_thread(elsewhere.join)


async def test_records_deleted_unread(world: World, admin: AIOKafkaAdminClient, topics: None, attack: Attack):
    place = TopicPartition(requests(world), 1)
    await publish(world, *(ask(n, partition=1) for n in range(100)))
    async with running(world, answer_all):
        await world.read(results(world), PARTITIONS, 100)
    await publish(world, *(ask(n, partition=1) for n in range(1000, 1050)))
    await admin.delete_records({place: RecordsToDelete(before_offset=150)})
    await publish(world, *(ask(n, partition=1) for n in range(100, REQUESTS)))
    async with running(world, answer_all) as service:
        await until(lambda: "50 records were deleted unread" in " ".join(service._problems()))
        problem = next(each for each in service._problems() if "deleted" in each)
        assert f"offset 100 of {place.topic}, partition 1" in problem
        assert (
            f"`ekiben offsets skip --group {world.prefix}{GROUP} --topic {place.topic} --to-earliest`"
            in problem
        )
        assert len(await world.read(results(world), PARTITIONS, 0)) == 100
        began = time.monotonic()
        await skip(world, place, 150)
        await everything_answered(world, attack, 1, began)
        await until(lambda: not service._problems())


async def skip(world: World, place: TopicPartition, offset: int) -> None:
    """Move the group's offset, as an operator does while nobody is in the group."""
    consumer = world.cluster.consumer(group_id=world.prefix + GROUP)
    consumer.assign([place])
    await consumer.start()
    try:
        await consumer.commit({place: offset})
    finally:
        await consumer.stop()


async def test_a_drain_while_the_broker_is_away(
    world: World, kafka: EmbeddedKafka, topics: None, attack: Attack
):
    proceed = asyncio.Event()
    proceed.set()

    async def answer_when_told(batch: Sequence[Received]) -> Sequence[Verdict]:
        await proceed.wait()
        return await answer_all(batch)

    await publish(world, *(ask(n) for n in range(100)))
    # with something to commit, and a batch in flight
    async with (
        asyncio.timeout(90),
        running(world, answer_when_told, drain_timeout_s=2.0, commit_interval_s=1000) as service,
    ):
        await world.read(results(world), PARTITIONS, 100)
        await until(lambda: count(service, "ekiben_records_total", requests(world)) == 100)
        proceed.clear()
        await publish(world, *(ask(n) for n in range(100, REQUESTS)))
        await until(lambda: count(service, "ekiben_oldest_unanswered_seconds", requests(world)))
        await asyncio.to_thread(kafka.kill)
        proceed.set()
    began = time.monotonic()
    await asyncio.to_thread(kafka.start)
    async with running(world, answer_all):
        await everything_answered(world, attack, 1, began)
