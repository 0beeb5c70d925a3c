"""However many dead letters there are, memory holds a few."""

from __future__ import annotations

import tracemalloc

import pytest

from ekiben import Ekiben
from ekiben.dead_letters import Actor
from unit.dead_letters.building import bury

FEW, MANY = 3_000, 20_000
LESS_THAN_AN_ID = 20


async def peak(ekiben, work):
    """What Python held at the most, in bytes."""
    tracemalloc.start()
    try:
        assert await work(ekiben)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def count(ekiben):
    return await ekiben.dead_letters(group="inference-gateway").count()


async def iterate(ekiben):
    number = 0
    async for _ in ekiben.dead_letters(group="inference-gateway"):
        number += 1
    return number


async def replay(ekiben):
    chunks = ekiben.dead_letters(group="inference-gateway").replay(Actor("ann"), dry_run=True)
    return sum([len(chunk.moves) async for chunk in chunks])


@pytest.mark.parametrize("work", [count, iterate, replay])
async def test_seven_times_as_many_take_no_more_memory(cluster, work):
    for offset in range(FEW):
        bury(cluster, offset=offset, attempt=1 + offset % 3)
    async with Ekiben(cluster=cluster) as ekiben:
        few = await peak(ekiben, work)
        for offset in range(FEW, MANY):
            bury(cluster, offset=offset, attempt=1 + offset % 3)
        many = await peak(ekiben, work)
    assert many - few < LESS_THAN_AN_ID * (MANY - FEW)
