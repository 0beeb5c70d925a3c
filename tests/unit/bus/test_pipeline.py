from __future__ import annotations

import asyncio
from functools import partial

import pytest
from aiokafka import TopicPartition

from ekiben_bus.departures import BehindError
from ekiben_bus.outbox import Outbox
from ekiben_bus.pipeline import Left, Pipeline

PLACE = TopicPartition("t", 0)
FINISHED = Left(1)
UNFINISHED = Left(1, again={PLACE: 0}, why="no broker")


async def depart(outboxes):
    pass


async def carry(left, turn, *, told=None, until=None):
    if until is not None:
        await until.wait()
    if left is FINISHED:
        try:
            await turn.leave(Outbox())
        except BehindError:
            left = UNFINISHED
    if told is not None:
        told.append(left is FINISHED)
    return left


async def test_nothing_leaves_behind_a_batch_that_did_not():
    pipeline, told = Pipeline(3, depart), []
    for left in (FINISHED, UNFINISHED, FINISHED):
        pipeline.start(partial(carry, left, told=told))
    assert pipeline.is_full
    assert await pipeline.settle()
    assert told == [True, False, False]


async def test_what_went_wrong_is_over_once_nothing_is_on_its_way():
    pipeline, told = Pipeline(3, depart), []
    pipeline.start(partial(carry, UNFINISHED))
    await pipeline.settle()
    list(pipeline.reap())
    pipeline.start(partial(carry, FINISHED, told=told))
    await pipeline.settle()
    assert told == [True]


async def test_what_is_over_is_reaped_in_the_order_it_was_begun_whichever_ends_first():
    pipeline, released = Pipeline(2, depart), asyncio.Event()
    pipeline.start(partial(carry, UNFINISHED, until=released))
    pipeline.start(partial(carry, UNFINISHED))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert list(pipeline.reap()) == []
    released.set()
    await pipeline.settle()
    assert list(pipeline.reap()) == [UNFINISHED, UNFINISHED]
    assert pipeline.oldest is None


async def test_what_is_late_is_cancelled_and_finishes_nothing():
    pipeline, told = Pipeline(2, depart), []
    pipeline.start(partial(carry, FINISHED, until=asyncio.Event()))
    pipeline.start(partial(carry, FINISHED, told=told))
    assert not await pipeline.settle(0.01)
    assert list(pipeline.reap()) == []
    assert told in ([], [False]), "nobody takes it for finished"


async def test_a_batch_that_breaks_is_not_finished():
    async def broken(turn):
        raise RuntimeError("a bug")

    pipeline, told = Pipeline(2, depart), []
    pipeline.start(broken)
    pipeline.start(partial(carry, FINISHED, told=told))
    await pipeline.settle()
    assert told == [False]
    with pytest.raises(RuntimeError):
        list(pipeline.reap())


async def test_what_is_abandoned_leaves_nothing():
    pipeline = Pipeline(2, depart)
    pipeline.start(partial(carry, FINISHED, until=asyncio.Event()))
    pipeline.start(partial(carry, UNFINISHED))
    await pipeline.abandon()
    assert list(pipeline.reap()) == []
    assert pipeline.oldest is None
