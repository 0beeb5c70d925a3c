"""What the bus takes for granted of consumers and producers, on every cluster it runs on."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from conformance.world import World, until
from ekiben_bus.publishing import WireRecord
from ekiben_contracts.topics import RECORD_LIMIT

QUICK_SESSION = {"session_timeout_ms": 6000, "heartbeat_interval_ms": 200, "rebalance_timeout_ms": 10_000}


@pytest.fixture
async def topic(world: World) -> str:
    name = f"{world.prefix}letters"
    await world.topics.create(name, 2, RECORD_LIMIT)
    return name


def letters(topic: str, count: int, partition: int = 0) -> list[WireRecord]:
    return [WireRecord(topic, partition, b"k", str(n).encode(), [("n", b"%d" % n)]) for n in range(count)]


async def joined(world: World, topic: str, group: str):
    consumer = world.cluster.consumer(group_id=world.prefix + group, **QUICK_SESSION)
    consumer.subscribe([topic])
    await consumer.start()
    return consumer


async def everything(consumer, expected: int) -> list:
    found: list = []
    async with asyncio.timeout(30):
        while len(found) < expected:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                found.extend(records)
    return found


async def test_headers_come_back_as_a_tuple_of_pairs(world: World, topic: str):
    await world.produce(*letters(topic, 1))
    consumer = await joined(world, topic, "a")
    (record,) = await everything(consumer, 1)
    await consumer.stop()
    assert record.headers == (("n", b"0"),)


async def test_headers_in_a_tuple_are_refused(world: World, topic: str):
    producer = world.cluster.producer()
    await producer.start()
    try:
        batch = producer.create_batch()
        with pytest.raises(TypeError):
            batch.append(timestamp=None, key=b"k", value=b"v", headers=(("n", b"0"),))
    finally:
        await producer.stop()


async def test_a_new_group_reads_from_the_start_and_then_from_what_it_committed(world: World, topic: str):
    await world.produce(*letters(topic, 5))
    first = await joined(world, topic, "a")
    assert [r.value for r in await everything(first, 5)] == [b"0", b"1", b"2", b"3", b"4"]
    await first.commit({TopicPartition(topic, 0): 3})
    await first.stop()
    second = await joined(world, topic, "a")
    assert [r.value for r in await everything(second, 2)] == [b"3", b"4"]
    await second.stop()


async def test_after_a_seek_the_record_there_is_read_again(world: World, topic: str):
    await world.produce(*letters(topic, 5))
    consumer = await joined(world, topic, "a")
    await everything(consumer, 5)
    consumer.seek(TopicPartition(topic, 0), 3)
    assert [r.value for r in await everything(consumer, 2)] == [b"3", b"4"]
    await consumer.stop()


async def test_what_is_not_assigned_can_be_neither_sought_nor_committed(world: World, topic: str):
    consumer = await joined(world, topic, "a")
    elsewhere = TopicPartition(topic, 7)
    with pytest.raises(IllegalStateError):
        consumer.seek(elsewhere, 0)
    with pytest.raises(IllegalStateError):
        await consumer.commit({elsewhere: 1})
    await consumer.stop()


async def test_two_members_share_the_partitions_and_the_last_one_gets_all(world: World, topic: str):
    first = await joined(world, topic, "a")
    assert len(first.assignment()) == 2
    second = await joined(world, topic, "a")
    await until(lambda: len(first.assignment()) == 1)
    assert first.assignment() | second.assignment() == {TopicPartition(topic, 0), TopicPartition(topic, 1)}
    await second.stop()
    await until(lambda: len(first.assignment()) == 2)
    await first.stop()


async def test_a_tool_commits_for_a_group_that_nobody_reads_in_and_for_no_other(world: World, topic: str):
    await world.produce(*letters(topic, 5))
    place = TopicPartition(topic, 0)
    tool = world.cluster.consumer(group_id=world.prefix + "a")
    tool.assign([place])
    await tool.start()
    await tool.commit({place: 4})
    member = await joined(world, topic, "a")
    assert [r.value for r in await everything(member, 1)] == [b"4"]
    with pytest.raises(CommitFailedError):
        await tool.commit({place: 1})
    assert await member.committed(place) == 4
    await tool.stop()
    await member.stop()


async def test_an_answered_batch_is_there_and_batches_keep_their_order(world: World, topic: str):
    producer = world.cluster.producer()
    await producer.start()
    acknowledgements = []
    for n in range(20):
        batch = producer.create_batch()
        batch.append(timestamp=None, key=b"k", value=str(n).encode(), headers=[])
        acknowledgements.append(await producer.send_batch(batch, topic, partition=1))
    await asyncio.gather(*acknowledgements)
    await producer.stop()
    found = await world.read(topic, 2, 20)
    assert [record.value for record in found] == [str(n).encode() for n in range(20)]


async def test_a_batch_that_is_too_large_is_refused_whole(world: World, topic: str):
    await world.topics.allow(topic, 100)
    producer = world.cluster.producer()
    await producer.start()
    batch = producer.create_batch()
    batch.append(timestamp=None, key=b"k", value=b"small", headers=[])
    batch.append(timestamp=None, key=b"k", value=b"x" * 5000, headers=[])
    with pytest.raises(KafkaError):
        await (await producer.send_batch(batch, topic, partition=0))
    await producer.stop()
    assert await world.read(topic, 2, 0) == []
