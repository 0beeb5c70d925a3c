"""One batch on its way, on a virtual clock."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry

from ekiben_bus.carrying import Carrier
from ekiben_bus.metrics import BusMetrics
from ekiben_bus.outbox import Outbox
from ekiben_bus.pipeline import Left
from simulation.clock import VirtualLoop

RECORD = SimpleNamespace(topic="t", partition=0, offset=0, timestamp=0, value=b"{}")


class Loop:
    """Decides in two seconds, publishes in three."""

    async def decide(self, records):
        await asyncio.sleep(2)
        return Outbox()

    async def publish(self, outbox):
        await asyncio.sleep(3)


class Group:
    """Whose partitions stay where they are."""

    async def prove(self, reached):
        pass

    def finish(self, offsets):
        pass


@pytest.fixture
def loop():
    loop = VirtualLoop()
    yield loop
    loop.close()


@pytest.mark.parametrize("before_s", [0, 1, 10, 40])
def test_the_wait_for_the_batch_before_is_not_of_its_own_time(loop, before_s):
    carrier = Carrier("t", Loop(), Group(), BusMetrics(CollectorRegistry()), timeout_s=60)

    async def both():
        before = asyncio.create_task(asyncio.sleep(before_s, Left(1)))
        return await carrier.carry([RECORD], before)

    left = loop.run_until_complete(both())

    assert left.why == ""
    assert left.seconds == pytest.approx(5)
    assert loop.time() == pytest.approx(max(2, before_s) + 3)
