"""Batches on their way out: in the order they were read, those that are ready together at once."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import TopicPartition

from ekiben_bus.departures import BehindError, Departures
from ekiben_bus.outbox import Outbox
from ekiben_bus.publishing import WireRecord

RECORD = WireRecord("t", 0, None, b"{}", ())
PLACE = TopicPartition("t", 0)


class Door:
    """Lets a departure through when it is told to."""

    def __init__(self):
        self.departures = []
        self.line = Departures(self._depart)
        self._open = asyncio.Semaphore(0)
        self._broken = None

    async def _depart(self, outboxes):
        self.departures.append(list(outboxes))
        await self._open.acquire()
        if self._broken is not None:
            raise self._broken

    def open(self, times=1):
        for _ in range(times):
            self._open.release()

    def slam(self, error):
        self._broken = error
        self.open()

    def leave(self, outbox=None):
        """A task that leaves, and how it ends."""
        return self.leave_by(self.line.line_up(), outbox)

    def leave_by(self, turn, outbox=None):
        outbox = Outbox() if outbox is None else outbox
        task = asyncio.create_task(turn.leave(outbox))
        task.add_done_callback(lambda _: turn.gone())
        return outbox, task


async def everything():
    """As far as all can go that waits for nothing outside."""
    for _ in range(20):
        await asyncio.sleep(0)


async def outcomes(*tasks):
    """Of each: left, behind, cancelled, or the error."""
    found = await asyncio.gather(*tasks, return_exceptions=True)
    return ["left" if isinstance(one, float) else type(one).__name__ for one in found]


async def test_those_ready_during_a_departure_leave_with_the_next_one():
    door = Door()
    leaving = [door.leave() for _ in range(4)]
    await everything()
    assert len(door.departures) == 1
    door.open(3)
    assert await outcomes(*(task for _, task in leaving)) == ["left"] * 4
    assert [len(departure) for departure in door.departures] == [1, 3]
    assert [id(one) for departure in door.departures for one in departure] == [id(box) for box, _ in leaving]
    assert await outcomes(door.leave()[1]) == ["left"]


async def test_nobody_leaves_before_one_that_was_read_earlier():
    door = Door()
    first, second = door.line.line_up(), door.line.line_up()
    _, late = door.leave_by(second)
    await everything()
    assert door.departures == []
    door.leave_by(first)
    door.open(2)
    await late
    assert [len(departure) for departure in door.departures] == [2]


async def test_a_departure_that_fails_is_told_by_its_first_and_nobody_behind_leaves():
    door = Door()
    tasks = [door.leave()[1] for _ in range(3)]
    await everything()
    last = door.line.line_up()
    door.slam(RuntimeError("no broker"))
    assert await outcomes(*tasks) == ["RuntimeError", "BehindError", "BehindError"]
    assert len(door.departures) == 1
    with pytest.raises(BehindError):
        await last.leave(Outbox())


async def test_one_that_is_gone_without_leaving_ends_the_run_for_those_behind_alone():
    door = Door()
    first, gone, behind = (door.line.line_up() for _ in range(3))
    _, waits = door.leave_by(behind)
    await everything()
    gone.gone()
    _, leaves = door.leave_by(first)
    door.open()
    assert await outcomes(leaves, waits) == ["left", "BehindError"]


@pytest.mark.parametrize("left", [{"held": {PLACE: "down"}}, {"early": {PLACE: 7}}], ids=["held", "early"])
async def test_one_that_leaves_something_to_be_read_again_is_the_last(left):
    door = Door()
    tasks = [door.leave(box)[1] for box in (Outbox(), Outbox(**left), Outbox())]
    await everything()
    door.open(3)
    assert await outcomes(*tasks) == ["left", "left", "BehindError"]
    with pytest.raises(BehindError):
        await door.line.line_up().leave(Outbox())


async def test_what_moves_records_leads_its_departure():
    """Its moves would otherwise be there before the answers of the batch before it are."""
    door = Door()
    boxes = [Outbox(), Outbox(), Outbox(moves=[RECORD]), Outbox()]
    tasks = [door.leave(box)[1] for box in boxes]
    await everything()
    door.open(4)
    assert await outcomes(*tasks) == ["left"] * 4
    assert [len(departure) for departure in door.departures] == [1, 1, 2]


async def test_one_that_is_given_up_on_its_way_takes_those_behind_it_along():
    door = Door()
    tasks = [door.leave()[1] for _ in range(5)]
    await everything()
    door.open()
    await everything()
    assert [len(departure) for departure in door.departures] == [1, 4]
    tasks[2].cancel()
    door.open()
    assert await outcomes(*tasks) == ["left", "left", "CancelledError", "BehindError", "BehindError"]


async def test_one_that_is_given_up_while_it_waits_ends_the_run_behind_it():
    door = Door()
    tasks = [door.leave()[1] for _ in range(4)]
    await everything()
    tasks[2].cancel()
    door.open(3)
    assert await outcomes(*tasks) == ["left", "left", "CancelledError", "BehindError"]
    assert len(door.departures) == 2


async def test_one_that_is_given_up_just_as_it_shall_lead_leaves_nobody_waiting():
    door = Door()
    turn = door.line.line_up()
    tasks = []

    async def leave_and_give_the_next_one_up():
        waited = await turn.leave(Outbox())
        tasks[1].cancel()
        return waited

    tasks += [asyncio.create_task(leave_and_give_the_next_one_up()), *(door.leave()[1] for _ in range(2))]
    await everything()
    door.open(3)
    async with asyncio.timeout(5):
        assert await outcomes(*tasks) == ["left", "CancelledError", "BehindError"]


async def test_a_leader_that_is_given_up_takes_its_departure_along():
    door = Door()
    first, second = door.line.line_up(), door.line.line_up()
    _, follower = door.leave_by(second)
    await everything()
    _, leader = door.leave_by(first)
    await everything()
    leader.cancel()
    assert await outcomes(leader, follower) == ["CancelledError", "BehindError"]


async def test_the_wait_is_until_the_departure_not_through_it():
    door = Door()
    first, second = door.line.line_up(), door.line.line_up()
    _, late = door.leave_by(second)
    await asyncio.sleep(0.05)
    _, early = door.leave_by(first)
    await everything()
    await asyncio.sleep(0.05)
    door.open()
    assert await early < 0.04 < await late


async def test_one_that_was_given_up_while_it_waited_does_not_leave():
    door = Door()
    first, second = door.line.line_up(), door.line.line_up()
    _, waits = door.leave_by(second)
    await everything()
    waits.cancel()
    await everything()
    _, leaves = door.leave_by(first)
    door.open()
    assert await outcomes(leaves, waits) == ["left", "CancelledError"]
    assert [len(departure) for departure in door.departures] == [1]


async def test_one_that_is_given_up_as_it_has_left_breaks_nobody_behind_it():
    door = Door()
    tasks = [door.leave()[1] for _ in range(3)]
    await everything()
    door.open()
    await everything()
    tasks.append(door.leave()[1])
    await everything()
    door.open(2)
    tasks[2].cancel()
    assert await outcomes(*tasks) == ["left", "left", "CancelledError", "left"]


async def test_nobody_is_left_waiting_where_one_is_given_up_as_it_has_left():
    door = Door()
    turns = [door.line.line_up() for _ in range(5)]
    decided = asyncio.Event()

    async def leave_once_decided():
        await decided.wait()
        return await turns[3].leave(Outbox())

    tasks = [door.leave_by(turns[n])[1] for n in (0, 1, 2)]
    tasks += [asyncio.create_task(leave_once_decided()), door.leave_by(turns[4])[1]]
    await everything()
    door.open()
    await everything()
    door.open()
    decided.set()
    tasks[2].cancel()
    await everything()
    door.open()
    async with asyncio.timeout(5):
        assert await outcomes(*tasks) == ["left", "left", "CancelledError", "left", "left"]
