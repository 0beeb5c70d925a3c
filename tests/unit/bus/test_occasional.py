"""A topic that is read on occasion, where a stop of the service meets the end of the occasion."""

from __future__ import annotations

import asyncio
from typing import cast

from ekiben_bus.occasional import Occasion, OccasionalSubscription
from ekiben_bus.subscription import Subscription


class SlowToLeave:
    """A subscription that leaves its group once it may."""

    is_assigned = True
    problem = None

    def __init__(self) -> None:
        self.began_to_read, self.began_to_leave = asyncio.Event(), asyncio.Event()
        self.may_leave = asyncio.Event()
        self.times_left = 0

    async def start(self) -> asyncio.Task[bool]:
        self.began_to_read.set()
        return asyncio.create_task(self.may_leave.wait())

    async def stop(self) -> None:
        self.began_to_leave.set()
        await self.may_leave.wait()
        self.times_left += 1


async def nothing() -> None:
    """There is nothing to prepare."""


async def test_a_stop_while_the_group_is_being_left_waits_until_it_was_left():
    occasion, read = [True], SlowToLeave()
    reading = OccasionalSubscription(
        "requests", Occasion(lambda: occasion[0], 60.0), lambda: cast("Subscription", read), nothing
    )
    async with asyncio.timeout(10):
        await reading.start()
        await read.began_to_read.wait()
        occasion[0] = False
        await read.began_to_leave.wait()
        stopping = asyncio.create_task(reading.stop())
        done, _ = await asyncio.wait([stopping], timeout=0.05)
        read.may_leave.set()
        await stopping

    assert (done, read.times_left) == (set(), 1)
