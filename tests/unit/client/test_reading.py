"""A log that is read to its end, and one whose end does not come."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition

from ekiben.errors import BrokerUnreachableError
from ekiben.reading import Log
from ekiben_bus.memory import MemoryCluster

PLACE = TopicPartition("topic", 0)


class Silent:
    """A consumer that knows of five records and gets none of them."""

    reads = 0
    refusal = None

    async def end_offsets(self, places):
        return dict.fromkeys(places, 5)

    async def position(self, place):
        return 0

    async def getmany(self, timeout_ms, max_records):
        self.reads += 1
        return {}


async def test_a_log_that_stalls_is_an_error_and_no_wait_for_ever():
    consumer = Silent()
    with pytest.raises(BrokerUnreachableError, match="the records of topic up to its end"):
        [record async for record in Log(consumer, [PLACE], patience=3).read_to_end()]
    assert consumer.reads == 3


class Growing:
    """A consumer whose topic had two records when it was asked, and three when it was read."""

    refusal = None

    def __init__(self, cluster):
        self._consumer = cluster.consumer()
        self._consumer.assign([PLACE])

    async def end_offsets(self, places):
        return dict.fromkeys(places, 2)

    async def position(self, place):
        return await self._consumer.position(place)

    async def getmany(self, timeout_ms, max_records):
        return await self._consumer.getmany(timeout_ms=timeout_ms)


async def test_what_comes_in_the_same_read_beyond_the_end_is_left_out():
    cluster = MemoryCluster()
    cluster.create_topic("topic", 1)
    cluster.append(PLACE, [(None, str(number).encode(), ()) for number in range(3)])
    log = Log(Growing(cluster), [PLACE])
    assert [record.value async for record in log.read_to_end()] == [b"0", b"1"]


class Retained:
    """A consumer of a topic that keeps its records from 4 on, up to 7."""

    def __init__(self):
        self.sought = {}

    async def beginning_offsets(self, places):
        return dict.fromkeys(places, 4)

    async def end_offsets(self, places):
        return dict.fromkeys(places, 7)

    def seek(self, place, offset):
        self.sought[place] = offset


@pytest.mark.parametrize(("records", "offset"), [(2, 5), (3, 4), (100, 4)])
async def test_going_back_stops_where_the_log_starts(records, offset):
    consumer = Retained()
    await Log(consumer, [PLACE]).go_back(records)
    assert consumer.sought == {PLACE: offset}


async def test_the_end_is_where_the_log_ended_when_it_was_asked_for():
    cluster = MemoryCluster()
    cluster.create_topic("topic", 2)
    for number in range(3):
        cluster.append(PLACE, [(None, str(number).encode(), ())])
    log = await Log.open(cluster, "topic", range(2), from_beginning=True)
    found = []
    async for record in log.read_to_end():
        found.append(record.value)
        cluster.append(PLACE, [(None, b"later", ())])
    assert found == [b"0", b"1", b"2"]
    assert [record.value for record in await log.read()] == [b"later"] * 3
    await log.close()
