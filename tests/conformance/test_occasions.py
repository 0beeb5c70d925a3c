"""A topic that is read only while there is an occasion to, and never from far behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from aiokafka import TopicPartition

from conformance.test_bus import (
    GROUP,
    PARTITIONS,
    answer_all,
    ask,
    ids,
    publish,
    requests,
    results,
    running,
    topics,
)
from conformance.world import World, until
from ekiben_bus.occasional import Occasion
from ekiben_bus.service import Service
from ekiben_bus.settings import ServiceSettings
from ekiben_contracts.topics import PREDICTION_REQUESTS

__all__ = ["topics"]  # a fixture

YOUNG_S = 3600.0
"""What a test has just written is always younger."""
_NEXT_DAY = timedelta(days=1)


@asynccontextmanager
async def reading(
    world: World, is_there: Callable[[], bool] = lambda: True, later: timedelta = timedelta()
) -> AsyncIterator[Service]:
    """A service that reads requests on such an occasion, up to an hour back from a clock so much later."""
    settings = ServiceSettings(topic_prefix=world.prefix, commit_interval_s=0.05)
    service = world.service(GROUP, settings, later)
    service.consume(PREDICTION_REQUESTS, answer_all, occasion=Occasion(is_there, YOUNG_S))
    serving = asyncio.create_task(service.serve())
    try:
        yield service
    finally:
        service.stop()
        await serving


def given_up(service: Service) -> float | None:
    found = [
        sample.value
        for metric in service.registry.collect()
        for sample in metric.samples
        if sample.name == "ekiben_skipped_total"
    ]
    return sum(found) if found else None


async def test_it_is_read_while_there_is_an_occasion_and_its_group_is_left_in_between(
    world: World, topics: None
):
    occasion = [False]
    async with reading(world, lambda: occasion[0]) as service:
        await until(lambda: service._started)
        await publish(world, ask(1))
        assert (service._problems(), service.owns(PREDICTION_REQUESTS)) == ([], False)
        occasion[0] = True
        await world.read(results(world), PARTITIONS, 1)
        assert not service._problems()
        occasion[0] = False
        await until(lambda: not service.owns(PREDICTION_REQUESTS) and not service._problems())
        await publish(world, ask(2))
        occasion[0] = True
        found = await world.read(results(world), PARTITIONS, 2)
    assert sorted(ids(found)) == ["r1/result/1", "r2/result/1"]


async def test_what_is_too_old_when_it_comes_to_read_is_given_up_and_counted(world: World, topics: None):
    await publish(world, *(ask(n, partition=n % 2) for n in range(5)))
    async with running(world, answer_all):
        await world.read(results(world), PARTITIONS, 5)
    await publish(world, *(ask(n, partition=n % 2) for n in range(5, 12)))
    async with reading(world, later=_NEXT_DAY) as service:
        await until(lambda: service.owns(PREDICTION_REQUESTS) and not service._problems())
        await publish(world, ask(12))
        found = await world.read(results(world), PARTITIONS, 6)
        assert given_up(service) == 7
    assert sorted(ids(found)) == sorted(f"r{n}/result/1" for n in (0, 1, 2, 3, 4, 12))


async def test_a_group_that_never_read_begins_with_what_is_young(world: World, topics: None):
    await publish(world, *(ask(n) for n in range(6)))
    async with reading(world) as service:
        await world.read(results(world), PARTITIONS, 6)
        assert given_up(service) == 0


async def test_what_retention_deleted_meanwhile_stops_nobody(world: World, topics: None):
    await publish(world, *(ask(n, partition=0) for n in range(3)))
    async with running(world, answer_all):
        await world.read(results(world), PARTITIONS, 3)
    await publish(world, *(ask(n, partition=0) for n in range(3, 9)))
    await world.topics.delete_before(TopicPartition(requests(world), 0), 7)
    async with reading(world) as service:
        found = await world.read(results(world), PARTITIONS, 5)
        assert given_up(service) == 0
    assert sorted(ids(found)) == [f"r{number}/result/1" for number in (0, 1, 2, 7, 8)]


async def test_a_group_with_members_is_not_moved_by_one_that_joins(world: World, topics: None):
    await publish(world, *(ask(n) for n in range(9)))
    proceed = asyncio.Event()

    async def held(batch):
        await proceed.wait()
        return await answer_all(batch)

    async with running(world, held) as member:
        await until(lambda: member.owns(PREDICTION_REQUESTS) and not member._problems())
        async with reading(world, later=_NEXT_DAY) as newcomer:
            await until(lambda: given_up(newcomer) is not None)
            proceed.set()
            found = await world.read(results(world), PARTITIONS, 9)
            assert given_up(newcomer) == 0
    assert sorted(set(ids(found))) == sorted(f"r{n}/result/1" for n in range(9))
