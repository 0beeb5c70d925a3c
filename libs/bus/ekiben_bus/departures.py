"""Batches leave in the order in which they were read; those that are ready together leave together."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from ekiben_bus.outbox import Outbox


class BehindError(Exception):
    """A batch read before did not leave whole, so this one must not leave at all."""


class _Told(Enum):
    LEAD = auto()
    LEFT = auto()
    BEHIND = auto()


@dataclass(slots=True)
class _Ready:
    place: int
    outbox: Outbox
    told: asyncio.Future[_Told]
    departs_at: float = 0.0

    @property
    def leaves_something(self) -> bool:
        return bool(self.outbox.held or self.outbox.early)


class Departures:
    """A run of batches on their way out. `depart` publishes, and returns once all is acknowledged.

    While some leave, others get ready, and leave together with the next departure: they share what an
    acknowledgement costs. The run ends with the first that does not leave, or that leaves something to be
    read again: whatever is behind it is read again too.
    """

    def __init__(self, depart: Callable[[Sequence[Outbox]], Awaitable[None]]) -> None:
        self._depart = depart
        self._ready: dict[int, _Ready] = {}
        self._places = 0
        self._next = 0
        self._end = math.inf

    def line_up(self) -> Turn:
        """The place behind all others."""
        self._places += 1
        return Turn(self, self._places - 1)

    def is_next(self, place: int) -> bool:
        """Whether nobody before it has still to leave."""
        return self._next == place

    def gone(self, place: int) -> None:
        """Whoever had this place is gone, and maybe without having left."""
        if place >= self._next:
            self._ready.pop(place, None)
            self._end_at(place)

    async def leave(self, place: int, outbox: Outbox) -> float:
        """Leave once all before have left. Returns the seconds waited for the departure.

        Raises:
            BehindError: the run has ended before it.
        """
        if place > self._end:
            raise BehindError
        loop = asyncio.get_running_loop()
        mine, since = _Ready(place, outbox, loop.create_future()), loop.time()
        self._ready[place] = mine
        try:
            told = _Told.LEAD if self.is_next(place) else await mine.told
            if told is _Told.LEAD:
                await self._lead(self._with(mine))
        except BaseException:
            self.gone(place)  # one that has left ends nothing, though it may not come to know it
            raise
        if told is _Told.BEHIND:
            raise BehindError
        return mine.departs_at - since

    def _with(self, first: _Ready) -> Sequence[_Ready]:
        """It, and all that are ready behind it without a gap. What moves records does so before it departs:
        it waits for the next departure, and leads it.
        """
        group = [self._ready.pop(first.place)]
        while not group[-1].leaves_something:
            following = self._ready.get(group[-1].place + 1)
            if following is None or following.outbox.moves:
                break
            group.append(self._ready.pop(following.place))
        return group

    async def _lead(self, group: Sequence[_Ready]) -> None:
        departs_at = asyncio.get_running_loop().time()
        for one in group:
            one.departs_at = departs_at
        try:
            await self._depart([one.outbox for one in group])
        except BaseException:
            _tell(group, _Told.BEHIND)
            raise
        # of those that were given up on the way nobody may say that they left, nor of any behind them
        left = [one for one in group if one.place < self._end]
        self._next = left[-1].place + 1
        _tell(left, _Told.LEFT)
        _tell(group[len(left) :], _Told.BEHIND)
        if left[-1].leaves_something:
            self._end_at(left[-1].place)
        elif (following := self._ready.get(self._next)) is not None:
            _tell([following], _Told.LEAD)

    def _end_at(self, place: int) -> None:
        """Nothing behind this place leaves."""
        self._end = min(self._end, place)
        behind = [one for one in self._ready.values() if one.place > self._end]
        for one in behind:
            del self._ready[one.place]
        _tell(behind, _Told.BEHIND)


@dataclass(frozen=True, slots=True)
class Turn:
    """A place in the line."""

    line: Departures
    place: int

    @property
    def is_next(self) -> bool:
        """Whether nobody before it has still to leave."""
        return self.line.is_next(self.place)

    async def leave(self, outbox: Outbox) -> float:
        """Leave once all before have left. Returns the seconds waited for the departure.

        Raises:
            BehindError: one before did not leave, or left something to be read again.
        """
        return await self.line.leave(self.place, outbox)

    def gone(self) -> None:
        """Whoever had it is gone, and maybe without having left."""
        self.line.gone(self.place)


def _tell(group: Sequence[_Ready], what: _Told) -> None:
    for one in group:
        if not one.told.done():
            one.told.set_result(what)
