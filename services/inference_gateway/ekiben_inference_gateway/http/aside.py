"""Reading a large body beside the event loop, on which everybody else is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

_SMALL_BYTES: Final = 16 * 1024

T = TypeVar("T")


class Aside:
    """One large body at a time, in a thread; the others wait, so that memory does not grow with them.

    A small one is read at once: that takes less time than a thread does.
    """

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()

    async def read(self, size: int, reading: Callable[[], T]) -> T:
        """What `reading` makes of a body of `size` bytes; whatever it raises is raised."""
        if size <= _SMALL_BYTES:
            return reading()
        async with self._one_at_a_time:
            return await asyncio.to_thread(reading)
