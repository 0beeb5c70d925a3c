"""Starting where a right may be missing: again and again, until somebody grants it or we are to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from structlog.stdlib import get_logger

from ekiben_bus.forbidden import refusal_in

log = get_logger(__name__)

_AGAIN_IN_S = 2.0
Result = TypeVar("Result")


class StoppedError(Exception):
    """We are to stop, and were not let in before."""


class Granted:
    """Sees steps through; `problem` is the right that the present one waits for."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self.problem: str | None = None

    async def see_through(self, step: Callable[[], Awaitable[Result]]) -> Result:
        """Do it until it is not refused. What fails otherwise raises what it raises.

        Raises:
            StoppedError: the service is to stop.
        """
        while True:
            try:
                done = await step()
            except Exception as error:
                refusal = refusal_in(error)
                if refusal is None:
                    raise
                self._tell(str(refusal))
            else:
                self.problem = None
                return done
            await self._pause()

    def _tell(self, problem: str) -> None:
        if problem != self.problem:  # hours of waiting must not fill the log
            log.error("not allowed, trying again and again", why=problem)
        self.problem = problem

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_AGAIN_IN_S):
                await self._stop.wait()
        if self._stop.is_set():
            raise StoppedError
