from __future__ import annotations

import asyncio
from functools import partial

import pytest
from aiokafka import TopicPartition

from ekiben_bus.pipeline import Left, Pipeline, is_finished

PLACE = TopicPartition("t", 0)
FINISHED = Left(1)
UNFINISHED = Left(1, again={PLACE: 0}, why="no broker")


async def carry(left, before, *, told=None, until=None):
    if until is not None:
        await until.wait()
    if told is not None:
        told.append(before is None or await is_finished(before))
    return left


async def test_each_batch_is_told_whether_the_one_before_it_was_finished():
    pipeline, told = Pipeline(3), []
    for left in (FINISHED, UNFINISHED, FINISHED):
        pipeline.start(partial(carry, left, told=told))
    assert pipeline.is_full
    assert await pipeline.settle()
    assert told == [True, True, False]


async def test_what_is_over_is_reaped_in_the_order_it_was_begun_whichever_ends_first():
    pipeline, released = Pipeline(2), asyncio.Event()
    pipeline.start(partial(carry, UNFINISHED, until=released))
    pipeline.start(partial(carry, FINISHED))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert list(pipeline.reap()) == []
    released.set()
    await pipeline.settle()
    assert list(pipeline.reap()) == [UNFINISHED, FINISHED]
    assert pipeline.oldest is None


async def test_what_is_late_is_cancelled_and_finishes_nothing():
    pipeline, told = Pipeline(2), []
    pipeline.start(partial(carry, FINISHED, until=asyncio.Event()))
    pipeline.start(partial(carry, FINISHED, told=told))
    assert not await pipeline.settle(0.01)
    assert list(pipeline.reap()) == []
    assert told in ([], [False]), "nobody takes it for finished"


async def test_a_batch_that_breaks_is_not_finished():
    async def broken(before):
        raise RuntimeError("a bug")

    pipeline, told = Pipeline(2), []
    pipeline.start(broken)
    pipeline.start(partial(carry, FINISHED, told=told))
    await pipeline.settle()
    assert told == [False]
    with pytest.raises(RuntimeError):
        list(pipeline.reap())


async def test_what_is_abandoned_leaves_nothing():
    pipeline = Pipeline(2)
    pipeline.start(partial(carry, FINISHED, until=asyncio.Event()))
    pipeline.start(partial(carry, UNFINISHED))
    await pipeline.abandon()
    assert list(pipeline.reap()) == []
    assert pipeline.oldest is None
