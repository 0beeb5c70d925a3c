"""The virtual loop: time that jumps, processes that die in mid-step."""

from __future__ import annotations

import asyncio
import time

import pytest

from simulation import clock
from simulation.clock import DeadlockError, LivelockError, Process, VirtualLoop


@pytest.fixture
def loop():
    loop = VirtualLoop()
    yield loop
    loop.close()


def test_an_hour_passes_at_once(loop):
    started = time.monotonic()
    loop.run_until_complete(asyncio.sleep(3600))
    assert loop.time() == pytest.approx(3600)
    assert time.monotonic() - started < 60


def test_timers_come_in_their_order(loop):
    seen = []

    async def after(seconds):
        await asyncio.sleep(seconds)
        seen.append((seconds, loop.time()))

    async def all_of_them():
        await asyncio.gather(*(after(seconds) for seconds in (3, 1, 2)))

    loop.run_until_complete(all_of_them())
    assert [seconds for seconds, _ in seen] == [1, 2, 3]
    assert [at for _, at in seen] == pytest.approx([1, 2, 3])


def test_waiting_for_what_never_comes_is_an_error(loop):
    with pytest.raises(DeadlockError):
        loop.run_until_complete(loop.create_future())


def test_turning_without_waiting_is_an_error(loop, monkeypatch):
    monkeypatch.setattr(clock, "_MOST_STEPS", 1000)

    async def turn():
        while True:
            await asyncio.sleep(0)

    with pytest.raises(LivelockError):
        loop.run_until_complete(turn())


def test_a_frozen_process_runs_nothing_not_even_its_finally(loop):
    ran = []

    async def work():
        try:
            await asyncio.sleep(1)
        finally:
            ran.append("finally")

    async def main():
        process = Process("p")
        task = loop.run_in(process.context, work())
        await asyncio.sleep(0.5)
        process.freeze()
        task.cancel()
        await asyncio.sleep(10)
        assert ran == []
        process.thaw(loop)
        await asyncio.wait([task])

    loop.run_until_complete(main())
    assert ran == ["finally"]


def test_a_resumed_process_goes_on_with_its_children_and_sees_that_time_has_passed(loop):
    seen = []

    async def child():
        await asyncio.sleep(1)
        seen.append(loop.time())

    async def work():
        await asyncio.create_task(child())

    async def main():
        process = Process("p")
        task = loop.run_in(process.context, work())
        await asyncio.sleep(0.5)
        process.freeze()
        await asyncio.sleep(10)
        process.thaw(loop)
        await task

    loop.run_until_complete(main())
    assert seen == pytest.approx([10.5])


def test_the_others_go_on_while_one_is_frozen(loop):
    async def main():
        process = Process("p")
        loop.run_in(process.context, asyncio.sleep(1)).cancel()
        process.freeze()
        await asyncio.sleep(5)
        process.thaw(loop)

    loop.run_until_complete(main())
    assert loop.time() == pytest.approx(5)
