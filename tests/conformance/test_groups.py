"""What an operator sees of the consumer groups, and how one goes on after a gap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from aiokafka import TopicPartition

from conformance.test_bus import (
    GROUP,
    PARTITIONS,
    answer,
    answer_all,
    ask,
    ids,
    publish,
    requests,
    results,
    running,
    side,
    topics,
)
from conformance.world import World, until
from ekiben import Ekiben
from ekiben.errors import GroupInUseError, NotFoundError
from ekiben.groups.standing import with_gaps
from ekiben_bus.records import Received
from ekiben_bus.verdicts import DeadLetter, Park, Retry, Verdict
from ekiben_contracts.topics import PREDICTION_REQUESTS

__all__ = ["topics"]  # a fixture


@pytest.fixture
async def ekiben(world: World, topics: None) -> AsyncIterator[Ekiben]:
    async with Ekiben(cluster=world.cluster, topic_prefix=world.prefix) as ekiben:
        yield ekiben


async def standings(world: World, ekiben: Ekiben):
    """Of the main lane, by partition."""
    found = await ekiben.groups.standings(topic=PREDICTION_REQUESTS.name, group=GROUP)
    return {each.partition: each for each in found if each.topic == requests(world)}


async def committed_up_to(world: World, partition: int, offset: int) -> None:
    async with asyncio.timeout(30):
        while await world.committed(world.prefix + GROUP, requests(world), partition) != offset:
            await asyncio.sleep(0.01)


async def test_committed_start_end_and_lag_of_every_partition(world: World, topics: None, ekiben: Ekiben):
    await publish(world, *(ask(number, partition=0) for number in range(5)))
    async with running(world, answer_all):
        await committed_up_to(world, 0, 5)
    await publish(world, ask(9, partition=0), ask(10, partition=1))
    found = await standings(world, ekiben)
    assert {
        partition: (each.committed, each.start, each.end, each.lag) for partition, each in found.items()
    } == {0: (5, 0, 6, 1), 1: (None, 0, 1, 1), 2: (None, 0, 0, 0)}


async def test_a_group_that_nobody_knows_is_told_by_those_that_there_are(
    world: World, topics: None, ekiben: Ekiben
):
    with pytest.raises(NotFoundError, match="inference-gateway reads"):
        await ekiben.groups.standings(group="gatekeeper")


async def test_a_group_stopped_at_a_gap_goes_on_after_a_skip(world: World, topics: None, ekiben: Ekiben):
    await publish(world, *(ask(number, partition=0) for number in range(3)))
    async with running(world, answer_all):
        await committed_up_to(world, 0, 3)
    await publish(world, *(ask(number, partition=0) for number in range(3, 9)))
    await world.topics.delete_before(TopicPartition(requests(world), 0), 7)
    async with running(world, answer_all) as service:
        await until(lambda: "4 records were deleted unread" in " ".join(service._problems()))
        (gap,) = with_gaps((await standings(world, ekiben)).values())
        assert (gap.partition, gap.committed, gap.start, gap.deleted_unread) == (0, 3, 7, 4)
        await ekiben.groups.skip_to_earliest([gap])
        found = await world.read(results(world), PARTITIONS, 5)
    assert sorted(ids(found)) == [f"r{number}/result/1" for number in (0, 1, 2, 7, 8)]


async def test_a_group_with_members_is_left_alone(world: World, topics: None, ekiben: Ekiben):
    await publish(world, ask(1, partition=0))
    async with running(world, answer_all):
        await committed_up_to(world, 0, 1)
        found = (await standings(world, ekiben))[0]
        with pytest.raises(GroupInUseError, match="without members"):
            await ekiben.groups.skip_to_earliest([found])
    assert (await standings(world, ekiben))[0].committed == 1


async def test_what_waits_is_counted_by_endpoint_with_its_age_until_it_is_answered(
    world: World, topics: None, ekiben: Ekiben
):
    healthy = asyncio.Event()

    async def sick(batch: Sequence[Received]) -> Sequence[Verdict]:
        if healthy.is_set():
            return await answer_all(batch)
        return [
            Park("http://delay-2", "connection refused") if r.record.partition else Retry("503", lost(r))
            for r in batch
        ]

    def lost(received: Received) -> DeadLetter:
        return DeadLetter("retries-exhausted", "E", "", outgoing=(answer(received),))

    await publish(world, *(ask(number) for number in range(9)))
    async with running(world, sick, retry_delays_s=(60, 60, 60)):
        await world.read(side(world, "parked"), PARTITIONS, 6)
        moved = await world.read(side(world, "retry-5s"), PARTITIONS, 3)
        parked, retried = await by_lane(ekiben, "parked"), await by_lane(ekiben, "retry-5s")
        assert (parked.count, parked.endpoint, parked.reason) == (6, "http://delay-2", "connection refused")
        assert (retried.count, retried.endpoint, retried.reason) == (3, "", "503")
        assert retried.since_ms == min(record.timestamp for record in moved)
        healthy.set()
        await world.read(results(world), PARTITIONS, 6)
    assert [each.lane for each in await ekiben.groups.waiting(group=GROUP)] == ["retry-5s"]
    healthy.clear()
    await publish(world, ask(9, partition=1))
    async with running(world, sick, retry_delays_s=(60, 60, 60)):
        await world.read(side(world, "parked"), PARTITIONS, 7)
        assert (await by_lane(ekiben, "parked")).count == 1


async def by_lane(ekiben: Ekiben, lane: str):
    (found,) = [each for each in await ekiben.groups.waiting(group=GROUP) if each.lane == lane]
    return found
