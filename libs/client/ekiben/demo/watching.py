"""Reading what became of the replay: results as they come, dead letters when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ekiben.client import Ekiben
from ekiben.dead_letters import DeadLetter
from ekiben.demo.broken import CASE_HEADER
from ekiben.demo.ledger import Ledger
from ekiben.demo.scores import Scores
from ekiben.demo.sending import Clock
from ekiben_contracts.prediction import PredictionCompleted

_LETTERS_EVERY_S = 0.5


class Watch:
    """Books every result from the moment it is entered until it is left.

    Results are for those who asked, dead letters for those who operate.
    """

    def __init__(
        self, users: Ekiben, operators: Ekiben, ledger: Ledger, scores: Scores, clock: Clock
    ) -> None:
        self._operators = operators
        self._results = users.results()
        self._ledger = ledger
        self._scores = scores
        self._clock = clock
        self._booked = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._old_letters: set[str] = set()

    async def __aenter__(self) -> Self:
        self._old_letters = {letter.id async for letter in self._operators.dead_letters()}
        await self._results.__aenter__()
        self._reading = asyncio.create_task(self._read(), name="demo-results")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        self._ledger.repeated(self._results.duplicates)
        await self._results.close()

    async def until(self, is_done: Callable[[], bool], patience_s: float) -> None:
        """Return when it is done, or nothing was booked for `patience_s`: what is missing then is lost."""
        while not is_done():
            self._booked.clear()
            try:
                async with asyncio.timeout(patience_s):
                    await self._next_booking()
            except TimeoutError:
                return

    async def count_dead_letters(self, patience_s: float) -> None:
        """Book every dead letter since we began; wait for those that unanswered records still owe."""
        deadline = self._clock() + patience_s
        await self._book_letters()
        while not self._ledger.is_settled() and self._clock() < deadline:
            await asyncio.sleep(_LETTERS_EVERY_S)
            await self._book_letters()

    async def _next_booking(self) -> None:
        assert self._reading is not None
        booked = asyncio.ensure_future(self._booked.wait())
        try:
            await asyncio.wait({booked, self._reading}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            booked.cancel()
        if self._reading.done():
            self._reading.result()

    async def _read(self) -> None:
        async for result in self._results:
            failed = None if isinstance(result, PredictionCompleted) else str(result.code)
            if self._ledger.answered(result.request_id, self._clock(), code=failed):
                if isinstance(result, PredictionCompleted):
                    self._scores.add(result)
                self._booked.set()

    async def _book_letters(self) -> None:
        async for letter in self._operators.dead_letters():
            if letter.id not in self._old_letters:
                self._ledger.buried(letter.id, _case(letter), self._clock())


def _case(letter: DeadLetter) -> str | None:
    for name, value in letter.headers:
        if name == CASE_HEADER:
            return (value or b"").decode(errors="replace")
    return None
