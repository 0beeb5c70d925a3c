"""A service under supervision: ready, dead, back again, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from ekiben.errors import StartError
from ekiben.local.progress import State
from ekiben.local.restarts import BackOff
from ekiben.local.supervised import Supervised


class Toy:
    """A supervised toy service and all that was told of it."""

    def __init__(self, folder: Path) -> None:
        self.told = []
        self.changes = []
        self.log = folder / "toy.log"
        self._behaviour = folder / "behaviour"
        self.behave("ready")
        env = {**os.environ, "TOY_BEHAVIOUR": str(self._behaviour), "PYTHONPATH": str(Path(__file__).parent)}
        self.service = Supervised(
            "toy",
            "toy_service",
            log=self.log,
            env=env,
            back_off=BackOff(first_s=0.01, longest_s=0.05),
            clock=time.monotonic,
            on_progress=self.told.append,
            on_change=lambda: self.changes.append(self.service.running),
        )

    def behave(self, how):
        self._behaviour.write_text(how)

    def states(self):
        return [progress.state for progress in self.told]

    async def until(self, condition):
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.01)


@pytest.fixture
async def toy(tmp_path):
    toy = Toy(tmp_path)
    yield toy
    await toy.service.stop(10, asyncio.Event())


async def test_it_is_ready_when_its_health_port_says_so(toy):
    toy.service.start()
    await toy.service.wait_until_ready(60)
    assert toy.states() == [State.STARTING, State.READY]
    assert psutil.pid_exists(toy.service.running.pid)


async def test_a_killed_one_is_started_again_and_the_log_says_why(toy):
    toy.service.start()
    await toy.service.wait_until_ready(60)
    killed = toy.service.running.pid
    os.kill(killed, signal.SIGKILL)
    await toy.until(lambda: toy.states().count(State.READY) == 2)
    (death,) = [progress for progress in toy.told if progress.state is State.DIED]
    assert death.detail == "was killed by SIGKILL; starting it again in 0.01 s\nthe toy speaks"
    assert "--- ekiben up: toy was killed by SIGKILL; starting it again" in toy.log.read_text()
    assert [change.pid == killed for change in toy.changes] == [True, False]


async def test_one_that_dies_before_it_was_ever_ready_is_given_up(toy):
    toy.behave("dies")
    toy.service.start()
    with pytest.raises(StartError, match=r"(?s)ended with exit code 7, 3 times in a row.*the toy speaks"):
        await toy.service.wait_until_ready(60)
    assert toy.states().count(State.STARTING) == 3


async def test_one_that_was_ready_is_never_given_up(toy):
    toy.service.start()
    await toy.service.wait_until_ready(60)
    toy.behave("dies")
    os.kill(toy.service.running.pid, signal.SIGKILL)
    await toy.until(lambda: toy.states().count(State.DIED) == 5)
    toy.behave("ready")
    await toy.until(lambda: toy.states().count(State.READY) == 2)


async def test_one_that_does_not_get_ready_in_time_is_an_error_with_its_own_words(toy):
    toy.behave("busy")
    toy.service.start()
    await toy.until(lambda: toy.changes)
    with pytest.raises(StartError, match="toy to get ready"):
        await toy.service.wait_until_ready(0.5)


async def test_stopping_ends_it_and_starts_it_no_more(toy):
    toy.service.start()
    await toy.service.wait_until_ready(60)
    pid = toy.service.running.pid
    await toy.service.stop(10, asyncio.Event())
    assert not psutil.pid_exists(pid)
    assert toy.states() == [State.STARTING, State.READY, State.STOPPING, State.STOPPED]
    assert toy.service.running is None


async def test_stopping_while_it_starts_leaves_nothing_behind(toy):
    toy.service.start()
    await asyncio.sleep(0)
    await toy.service.stop(10, asyncio.Event())
    assert all(not psutil.pid_exists(change.pid) for change in toy.changes)
