"""What takes too long never takes for ever: too much in one batch, and a stop while the group rebalances."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import ConsumerRebalanceListener

from conformance.test_bus import (
    GROUP,
    PARTITIONS,
    answer_all,
    ask,
    ids,
    publish,
    requests,
    results,
    topics,
)
from conformance.test_bus import running as running_service
from conformance.world import World
from ekiben_bus.records import Received
from ekiben_bus.settings import ServiceSettings
from ekiben_bus.verdicts import Verdict
from ekiben_contracts.topics import PREDICTION_REQUESTS

__all__ = ["topics"]  # a fixture


async def test_a_batch_that_takes_too_long_is_tried_in_smaller_parts(world: World, topics: None):
    async def chokes(batch: Sequence[Received]) -> Sequence[Verdict]:
        if len(batch) > 4:
            await asyncio.Event().wait()
        return await answer_all(batch)

    await publish(world, *(ask(n, partition=0) for n in range(40)))
    async with running_service(world, chokes, batch_timeout_s=0.2):
        found = await world.read(results(world), PARTITIONS, 40)
    assert ids(found) == [f"r{n}/result/1" for n in range(40)]


class Clings(ConsumerRebalanceListener):
    """A member that does not let go of its partitions."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.asked = asyncio.Event()

    async def on_partitions_revoked(self, revoked) -> None:
        if revoked:
            self.asked.set()
            await self.let_go.wait()

    async def on_partitions_assigned(self, assigned) -> None:
        pass


async def test_a_service_that_still_waits_for_its_partitions_stops_when_it_is_told(
    world: World, topics: None
):
    clinging = Clings()
    other = world.cluster.consumer(
        group_id=world.prefix + GROUP,
        session_timeout_ms=30_000,
        heartbeat_interval_ms=200,
        rebalance_timeout_ms=60_000,
    )
    other.subscribe([requests(world)], listener=clinging)
    await other.start()
    service = world.service(GROUP, ServiceSettings(topic_prefix=world.prefix))
    service.consume(PREDICTION_REQUESTS, answer_all)
    serving = asyncio.create_task(service.serve())
    try:
        async with asyncio.timeout(30):
            await clinging.asked.wait()
            service.stop()
            await serving
    finally:
        clinging.let_go.set()
        await other.stop()
