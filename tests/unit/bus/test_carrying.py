"""One batch on its way, on a virtual clock."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry

from ekiben_bus.carrying import Carrier
from ekiben_bus.departures import Departures
from ekiben_bus.metrics import BusMetrics
from ekiben_bus.outbox import Outbox
from simulation.clock import VirtualLoop

PLACE = TopicPartition("t", 0)
RECORD = SimpleNamespace(topic="t", partition=0, offset=0, timestamp=0, value=b"{}")


class Loop:
    """Decides in two seconds, publishes in three."""

    def __init__(self):
        self.published = []

    async def decide(self, records):
        await asyncio.sleep(2)
        return Outbox(reached={PLACE: records[0].offset})

    async def publish(self, outboxes):
        await asyncio.sleep(3)
        self.published.append(list(outboxes))


class Group:
    """Whose partitions stay where they are."""

    def __init__(self):
        self.proven = []

    async def prove(self, reached):
        self.proven.append(dict(reached))

    def finish(self, offsets):
        pass


@pytest.fixture
def loop():
    loop = VirtualLoop()
    yield loop
    loop.close()


def carrier_of(loop, group=None):
    return Carrier("t", loop, group or Group(), BusMetrics(CollectorRegistry()), timeout_s=60)


@pytest.mark.parametrize("before_s", [0, 1, 10, 40])
def test_the_wait_for_the_batch_before_is_not_of_its_own_time(loop, before_s):
    async def both():
        carrier = carrier_of(Loop())
        line = Departures(carrier.depart)
        first, second = line.line_up(), line.line_up()

        async def before():
            await asyncio.sleep(before_s)
            await carrier.carry([RECORD], first)

        waiting = asyncio.create_task(before())
        left = await carrier.carry([RECORD], second)
        await waiting
        return left

    left = loop.run_until_complete(both())

    assert left.why == ""
    assert left.seconds == pytest.approx(5)


def test_the_group_is_asked_about_the_first_offsets_of_what_leaves_together(loop):
    async def three():
        group, said = Group(), Loop()
        carrier = carrier_of(said, group)
        line = Departures(carrier.depart)
        records = [SimpleNamespace(topic="t", partition=0, offset=n, timestamp=0) for n in (5, 7, 9)]
        await asyncio.gather(*(carrier.carry([record], line.line_up()) for record in records))
        return group.proven, said.published

    proven, published = loop.run_until_complete(three())

    assert [len(one) for one in published] == [1, 2]
    assert proven == [{PLACE: 5}, {PLACE: 7}], "before offset 7 all is finished, before 9 it is not"
