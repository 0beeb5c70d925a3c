"""Routes are read for many requests at a time, and never too early for one of them."""

from __future__ import annotations

import asyncio

import pytest

from ekiben_inference_gateway.http.shared_reads import SharedReads
from unit.gateway.building import FakeRoutes, Gateway, model
from unit.gateway.http.facing import ASKED, facing

DEADLINE_S = 20


class Gated:
    """Routes whose reads end when they are told to."""

    def __init__(self):
        self.began = asyncio.Semaphore(0)
        self.reads = 0
        self.end = asyncio.Semaphore(0)
        self.error: Exception | None = None

    def get(self, key, /):
        return None

    def values(self):
        return []

    async def catch_up(self):
        self.reads += 1
        self.began.release()
        await self.end.acquire()
        if self.error is not None:
            raise self.error


@pytest.fixture
def routes():
    return Gated()


async def test_all_who_come_while_one_is_read_share_the_next_read(routes):
    shared = SharedReads(routes)
    async with asyncio.timeout(DEADLINE_S):
        first = asyncio.create_task(shared.catch_up())
        await routes.began.acquire()
        others = [asyncio.create_task(shared.catch_up()) for _ in range(50)]
        await asyncio.sleep(0)
        routes.end.release()
        await first
        await routes.began.acquire()
        assert not any(other.done() for other in others), "a read that began before they came ended for them"
        routes.end.release()
        await asyncio.gather(*others)
    assert routes.reads == 2


async def test_whoever_gives_up_takes_the_read_from_nobody(routes):
    shared = SharedReads(routes)
    async with asyncio.timeout(DEADLINE_S):
        leaving, staying = (asyncio.create_task(shared.catch_up()) for _ in range(2))
        await routes.began.acquire()
        leaving.cancel()
        routes.end.release()
        await staying
    assert routes.reads == 1


async def test_a_read_that_fails_is_told_to_all_who_share_it_and_the_next_is_a_new_one(routes):
    shared, routes.error = SharedReads(routes), TimeoutError("no broker")
    for _ in range(2):
        routes.end.release()
    async with asyncio.timeout(DEADLINE_S):
        told = await asyncio.gather(*(shared.catch_up() for _ in range(3)), return_exceptions=True)
        assert told == [routes.error] * 3
        routes.error = None
        await shared.catch_up()
    assert routes.reads == 2


async def test_many_requests_for_models_that_are_not_there_read_the_routes_few_times():
    routes = FakeRoutes.of(model("delay"))
    async with facing(Gateway(routes)) as client:
        asked = [{**ASKED, "model": f"nobody-{number}"} for number in range(40)]
        answers = await asyncio.gather(*(client.post("/v1/predictions", json=one) for one in asked))
    assert {answer.status_code for answer in answers} == {404}
    assert 1 <= routes.caught_up <= 4
