"""What a careful consumer makes of the errors that aiokafka raises out of a poll."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import NoOffsetForPartitionError

from ekiben_bus.careful import CarefulConsumer

PLACE = TopicPartition("requests", 2)


@pytest.fixture
async def consumer(monkeypatch):
    """Its next poll finds that the place has no offset; what it sought comes in `sought`."""

    async def poll(*_: object, **__: object) -> None:
        raise NoOffsetForPartitionError(PLACE)

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", poll)
    made = CarefulConsumer(group_id="gateway")
    yield made
    await made.stop()


@pytest.fixture
def sought(consumer, monkeypatch):
    places: list[TopicPartition] = []

    async def seek_to_beginning(*asked: TopicPartition) -> None:
        places.extend(asked)

    monkeypatch.setattr(consumer, "seek_to_beginning", seek_to_beginning)
    return places


def owning(consumer, monkeypatch, owned: set[TopicPartition], committed: int | None) -> None:
    async def of_the_group(_: TopicPartition) -> int | None:
        return committed

    monkeypatch.setattr(consumer, "committed", of_the_group)
    monkeypatch.setattr(consumer, "assignment", lambda: owned)


async def test_a_new_group_reads_from_the_start(consumer, sought, monkeypatch):
    owning(consumer, monkeypatch, {PLACE}, None)
    assert await consumer.getmany(timeout_ms=10) == {}
    assert sought == [PLACE]
    assert consumer.trouble is None


async def test_what_others_have_committed_meanwhile_is_not_read_again(consumer, sought, monkeypatch):
    owning(consumer, monkeypatch, {PLACE}, 1000)
    assert await consumer.getmany(timeout_ms=10) == {}
    assert sought == []
    assert consumer.trouble is None


async def test_a_partition_that_is_anothers_by_now_is_no_trouble(consumer, sought, monkeypatch):
    owning(consumer, monkeypatch, set(), None)
    assert await consumer.getmany(timeout_ms=10) == {}
    assert sought == []
    assert consumer.trouble is None


async def test_a_topic_that_may_not_be_seen_any_more_is_no_quiet_one_also_where_nothing_is_assigned(
    consumer, monkeypatch
):
    async def poll(*_: object, **__: object) -> dict[TopicPartition, list[object]]:
        return {}

    owning(consumer, monkeypatch, set(), None)
    monkeypatch.setattr(AIOKafkaConsumer, "getmany", poll)
    consumer.subscribe([PLACE.topic])
    consumer._client.cluster.unauthorized_topics = {PLACE.topic, "somebody-elses"}
    assert await consumer.getmany(timeout_ms=10) == {}
    assert "allowed Read on the topic requests, found" in consumer.trouble
    consumer._client.cluster.unauthorized_topics = {"somebody-elses"}
    await consumer.getmany(timeout_ms=10)
    assert (consumer.trouble, consumer.refusal) == (None, None)


async def test_a_fetch_that_is_cancelled_on_the_way_out_does_not_end_the_process(monkeypatch):
    fetches = [asyncio.create_task(asyncio.Event().wait()) for _ in range(2)]

    async def stop(_: object) -> None:  # as aiokafka's fetcher does
        fetches[0].cancel()
        await fetches[0]

    monkeypatch.setattr(AIOKafkaConsumer, "stop", stop)
    made = CarefulConsumer(group_id=None)
    made._fetcher = SimpleNamespace(_pending_tasks=set(fetches))
    await made.stop()
    assert all(fetch.cancelled() for fetch in fetches)


async def test_a_stop_that_is_cancelled_itself_says_so(monkeypatch):
    async def stop(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(AIOKafkaConsumer, "stop", stop)
    stopping = asyncio.create_task(CarefulConsumer(group_id=None).stop())
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
