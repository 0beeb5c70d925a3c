"""The one thread that asks the store: what hangs, breaks or is given up there costs nobody else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from ekiben_bus.service import now
from ekiben_bus.verdicts import Emit, Park
from ekiben_inference_gateway.features.opening import open_when_needed
from ekiben_inference_gateway.features.reading import StoreReader
from ekiben_serving.features.errors import (
    FeatureStoreBusyError,
    FeatureStoreError,
    FeatureStoreSilentError,
)
from ekiben_serving.features.looking_up import Entity
from unit.gateway.building import FakeRoutes, Gateway, model, received
from unit.gateway.features.stores import flights_store, lanes

UA1 = [Entity("UA1", {}, frozenset({"seats"}))]
DEADLINE_S = 10.0


class PanicError(BaseException):
    """What a driver written in Rust raises: no Exception."""


@pytest.fixture
def let_go():
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def store():
    return flights_store()


@asynccontextmanager
async def reading(open_store: Callable[[], object]) -> AsyncIterator[StoreReader]:
    async with StoreReader(open_store, now).lifespan() as reader:  # type: ignore[arg-type]
        yield reader


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not is_so():
            await asyncio.sleep(0.001)


async def test_an_opening_that_hangs_takes_nobody_s_turn(store, let_go):
    gateway = Gateway(FakeRoutes.of(model("delay", feature_service="flights"), model("weather")))
    begun = threading.Event()

    def opening() -> None:
        begun.set()
        let_go.wait()

    async with lanes(store, timeout_s=0.05, opening=opening) as found, asyncio.timeout(DEADLINE_S):
        gateway.fill = found.main
        ahead = asyncio.create_task(found.reader.open())
        await until(begun.is_set)
        waiting, other = await gateway.answer(received(0, features=None), received(1, model="weather"))
        ahead.cancel()
    assert isinstance(waiting, Park)
    assert "within 0.05 s" in waiting.reason
    assert isinstance(other, Emit)


async def test_a_store_that_took_long_to_open_is_asked_as_soon_as_it_is_open(store, let_go):
    gateway = Gateway(FakeRoutes.of(model("delay", feature_service="flights")))
    async with lanes(store, timeout_s=0.05, opening=let_go.wait) as found, asyncio.timeout(DEADLINE_S):
        gateway.fill = found.main
        opening = asyncio.create_task(found.reader.open())
        await asyncio.sleep(0)
        (early,) = await gateway.answer(received(0, features=None))
        let_go.set()
        await opening
        (now_open,) = await gateway.answer(received(0, features=None))
    assert isinstance(early, Park)
    assert isinstance(now_open, Emit)


async def test_opening_again_behind_an_opening_that_hangs_is_refused_at_once(store, let_go):
    async with reading(lambda: let_go.wait() and store) as reader, asyncio.timeout(DEADLINE_S):
        with pytest.raises(FeatureStoreSilentError, match="within"):
            await reader.read("flights", UA1, 0.05)
        with pytest.raises(FeatureStoreSilentError, match="to open the feature store, found an earlier call"):
            await reader.open()


async def test_a_read_that_was_given_up_leaves_a_store_that_answers_alone(store, let_go):
    store.pause = let_go.wait
    async with reading(lambda: store) as reader:
        given_up = asyncio.create_task(reader.read("flights", UA1, DEADLINE_S))
        await until(lambda: len(store.reads) == 1)
        given_up.cancel()
        await asyncio.wait([given_up])
        behind = asyncio.create_task(reader.read("flights", UA1, DEADLINE_S))
        await asyncio.sleep(0)
        let_go.set()
        (found,) = await behind
    assert found.values == {"seats": 149.0}


async def test_a_turn_is_waited_for_no_longer_than_a_read_and_says_nothing_of_the_store(store, let_go):
    gateway = Gateway(FakeRoutes.of(model("delay", feature_service="flights")))
    async with lanes(store, timeout_s=0.05) as found, asyncio.timeout(DEADLINE_S):
        gateway.fill = found.main
        async with found.reader.turn(DEADLINE_S):
            (waiting,) = await gateway.answer(received(0, features=None))
            with pytest.raises(FeatureStoreBusyError):
                async with found.reader.turn(0.0):
                    pass
        (answered,) = await gateway.answer(received(0, features=None))
    assert isinstance(waiting, Park)
    assert "a turn at the feature store within 0.05 s, found the reads of others" in waiting.reason
    assert isinstance(answered, Emit)  # the store is not down


async def test_a_driver_s_panic_is_outside_trouble_and_the_thread_lives_on(store):
    def panic() -> None:
        raise PanicError("called `Option::unwrap()`")

    store.pause = panic
    async with reading(lambda: store) as reader:
        with pytest.raises(FeatureStoreError, match="found PanicError: called"):
            await reader.read("flights", UA1, DEADLINE_S)
        store.pause = lambda: None
        (found,) = await reader.read("flights", UA1, DEADLINE_S)
    assert found.values == {"seats": 149.0}


async def test_whatever_keeps_a_store_from_opening_is_told_at_powers_of_two_and_tried_again(store):
    tries = 0

    def opening() -> object:
        nonlocal tries
        tries += 1
        if tries < 6:
            raise PermissionError("may not be read")
        return store

    with capture_logs() as logs:
        async with reading(opening) as reader:
            task = asyncio.create_task(open_when_needed(reader, lambda: True, 0.0))
            await until(lambda: reader.is_open or task.done())
            task.cancel()
            await asyncio.wait([task])
    assert tries == 6
    assert [one["failures"] for one in logs if one["event"] == "no feature store yet"] == [1, 2, 4]
