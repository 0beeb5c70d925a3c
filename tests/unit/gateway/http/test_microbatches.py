"""Rows of concurrent requests go together: while one batch is asked, the next collects."""

from __future__ import annotations

import asyncio

import pytest

from ekiben_inference_gateway.http.microbatches import Lane, LaneBounds, Lanes
from ekiben_inference_gateway.http.predicting import BusyError
from ekiben_inference_gateway.routing import Endpoint

ENDPOINT = Endpoint("delay", "1", "http://127.0.0.1:3000")
OTHER = Endpoint("weather", "1", "http://127.0.0.1:3001")


class Models:
    """Answers once it is let; a row is its own answer."""

    def __init__(self):
        self.batches = []
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.bugs = set()

    async def score(self, rows):
        self.batches.append(list(rows))
        self.begun.set()
        await self.go.wait()
        if self.bugs & set(rows):
            raise RuntimeError("a bug")
        return rows


def lane(models, rows_per_batch=100, batches_at_a_time=1, waiting_rows=100, waiting_requests=100):
    bounds = LaneBounds(rows_per_batch, batches_at_a_time, waiting_rows, waiting_requests)
    return Lane(ENDPOINT, models.score, bounds)


@pytest.fixture
def models():
    return Models()


async def ask_behind_one(asked, models, *requests):
    """Ask while a first batch, of the row `first`, is under way; then let everything go."""
    first = asyncio.create_task(asked.ask(["first"]))
    await models.begun.wait()
    behind = [asyncio.create_task(asked.ask(list(rows))) for rows in requests]
    await asyncio.sleep(0)
    models.go.set()
    found = await asyncio.gather(first, *behind, return_exceptions=True)
    return found[1:]


async def test_a_lone_request_is_asked_at_once(models):
    models.go.set()
    assert await lane(models).ask(["a", "b"]) == ["a", "b"]
    assert models.batches == [["a", "b"]]


async def test_what_arrives_while_one_batch_is_asked_goes_together(models):
    found = await ask_behind_one(lane(models), models, "ab", "c", "de")
    assert found == [["a", "b"], ["c"], ["d", "e"]]
    assert models.batches == [["first"], ["a", "b", "c", "d", "e"]]


async def test_a_batch_has_no_more_rows_than_it_may_and_tears_no_request_apart(models):
    found = await ask_behind_one(lane(models, rows_per_batch=3), models, "ab", "cd", "e", "fghi")
    assert found == [["a", "b"], ["c", "d"], ["e"], ["f", "g", "h", "i"]]
    assert models.batches[1:] == [["a", "b"], ["c", "d", "e"], ["f", "g", "h", "i"]]


async def test_so_many_batches_are_asked_at_a_time(models):
    asked = lane(models, rows_per_batch=1, batches_at_a_time=2)
    asking = [asyncio.create_task(asked.ask([name])) for name in "abcd"]
    await models.begun.wait()
    assert models.batches == [["a"], ["b"]]
    models.go.set()
    assert await asyncio.gather(*asking) == [["a"], ["b"], ["c"], ["d"]]


async def test_too_many_waiting_requests_are_refused_with_a_time_to_come_again(models):
    found = await ask_behind_one(lane(models, waiting_requests=2), models, "a", "b", "c")
    assert found[:2] == [["a"], ["b"]]
    assert isinstance(found[2], BusyError)
    assert found[2].retry_after_s > 0


async def test_too_many_waiting_rows_are_refused_but_one_request_may_always_wait(models):
    found = await ask_behind_one(lane(models, waiting_rows=3), models, "abcdef", "g")
    assert found[0] == list("abcdef")
    assert isinstance(found[1], BusyError)


async def test_there_is_room_again_once_a_batch_was_taken(models):
    asked = lane(models, waiting_rows=2, waiting_requests=1)
    await ask_behind_one(asked, models, "ab")
    assert await asked.ask(["c", "d"]) == ["c", "d"]


async def test_a_bug_costs_its_own_request_alone(models):
    models.bugs = {"c"}
    found = await ask_behind_one(lane(models), models, "ab", "c", "d")
    assert found[0] == ["a", "b"]
    assert isinstance(found[1], RuntimeError)
    assert found[2] == ["d"]


async def test_whoever_hung_up_is_not_asked_for(models):
    asked = lane(models)
    first = asyncio.create_task(asked.ask(["first"]))
    await models.begun.wait()
    gone, stays = (asyncio.create_task(asked.ask([name])) for name in ("gone", "stays"))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    models.go.set()
    await asyncio.gather(first, stays)
    assert models.batches == [["first"], ["stays"]]


async def test_a_slow_endpoint_delays_nobody_of_another():
    slow, quick = Models(), Models()
    quick.go.set()

    async def score(rows):
        return await (slow if rows[0] == "slow" else quick).score(rows)

    lanes = Lanes(score, LaneBounds(100, 1, 100, 100))
    waiting = asyncio.create_task(lanes.ask(ENDPOINT, ["slow"]))
    await slow.begun.wait()
    assert await lanes.ask(OTHER, ["quick"]) == ["quick"]
    slow.go.set()
    assert await waiting == ["slow"]
