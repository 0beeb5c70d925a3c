"""Rows of concurrent requests go to their model together: while one batch is asked, the next collects.

No timer: a lone request is asked at once, and under load batches grow as long as calls take.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ekiben_inference_gateway.http.predicting import BusyError
from ekiben_inference_gateway.refusals import Refusal
from ekiben_inference_gateway.routing import Endpoint
from ekiben_inference_gateway.scoring import Asked, Scored

Answers = Sequence[Scored | Refusal]
Score = Callable[[Sequence[Asked]], Awaitable[Answers]]
"""Asks about rows of one endpoint: one answer for each, in their order."""

_COME_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class LaneBounds:
    """Of one endpoint: how much is asked together, how often at a time, and how much may wait."""

    rows_per_batch: int
    batches_at_a_time: int
    waiting_rows: int
    waiting_requests: int


class _Waiting(NamedTuple):
    rows: Sequence[Asked]
    answers: asyncio.Future[Answers]


class Lane:
    """What waits for one endpoint, first come, first served. A request's rows are never torn apart."""

    def __init__(self, endpoint: Endpoint, score: Score, bounds: LaneBounds) -> None:
        self._endpoint = endpoint
        self._score = score
        self._bounds = bounds
        self._waiting: deque[_Waiting] = deque()
        self._waiting_rows = 0
        self._running: set[asyncio.Task[None]] = set()

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is asked."""
        return not self._waiting and not self._running

    async def ask(self, rows: Sequence[Asked]) -> Answers:
        """Wait for the next batch, and for its answers.

        Raises:
            BusyError: too much is waiting already.
        """
        self._refuse_too_much(len(rows))
        waiting = _Waiting(rows, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._waiting_rows += len(rows)
        if len(self._running) < self._bounds.batches_at_a_time:
            running = asyncio.create_task(self._run())
            self._running.add(running)
        return await waiting.answers

    def _refuse_too_much(self, rows: int) -> None:
        bounds = self._bounds
        full = len(self._waiting) >= bounds.waiting_requests
        if full or (self._waiting and self._waiting_rows + rows > bounds.waiting_rows):
            raise BusyError(
                f"expected at most {bounds.waiting_requests} requests and {bounds.waiting_rows} rows to wait "
                f"for {self._endpoint.model} version {self._endpoint.version}, found {len(self._waiting)} "
                f"and {self._waiting_rows}; ask again later, or publish to the bus, where requests wait as "
                "long as they must",
                _COME_AGAIN_S,
            )

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._answer(self._take())
        finally:
            self._running.discard(_this_task())

    def _take(self) -> list[_Waiting]:
        taken, rows = [self._waiting.popleft()], 0
        rows += len(taken[0].rows)
        while self._waiting and rows + len(self._waiting[0].rows) <= self._bounds.rows_per_batch:
            taken.append(self._waiting.popleft())
            rows += len(taken[-1].rows)
        self._waiting_rows -= rows
        return [one for one in taken if not one.answers.done()]  # whose caller is gone

    async def _answer(self, taken: Sequence[_Waiting]) -> None:
        """What raises is a bug; asked again one by one, it costs nobody but its own caller."""
        if not taken:
            return
        try:
            answers = iter(await self._score([row for one in taken for row in one.rows]))
        except Exception as error:  # noqa: BLE001 - raised again in the request that causes it
            if len(taken) > 1:
                for one in taken:
                    await self._answer([one])
            elif not taken[0].answers.done():
                taken[0].answers.set_exception(error)
            return
        except asyncio.CancelledError:
            for one in taken:
                one.answers.cancel()
            raise
        for one in taken:
            share = [next(answers) for _ in one.rows]
            if not one.answers.done():
                one.answers.set_result(share)


class Lanes:
    """A lane for each endpoint that is asked now: a slow one delays its own callers alone."""

    def __init__(self, score: Score, bounds: LaneBounds) -> None:
        self._score = score
        self._bounds = bounds
        self._lanes: dict[Endpoint, Lane] = {}

    async def ask(self, endpoint: Endpoint, rows: Sequence[Asked]) -> Answers:
        """See Lane.ask."""
        lane = self._lanes.get(endpoint)
        if lane is None:
            self._sweep()
            lane = self._lanes[endpoint] = Lane(endpoint, self._score, self._bounds)
        return await lane.ask(rows)

    def _sweep(self) -> None:
        for endpoint in [endpoint for endpoint, lane in self._lanes.items() if lane.is_idle]:
            del self._lanes[endpoint]


def _this_task() -> asyncio.Task[None]:
    task = asyncio.current_task()
    assert task is not None
    return task
