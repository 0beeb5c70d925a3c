"""Time from outside, so that a test can hold it still."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What a client needs of time."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        ...

    def wall(self) -> float:
        """Seconds since 1970, for dates that others write."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The time of this machine."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
