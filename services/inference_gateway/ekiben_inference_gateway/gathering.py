"""Several calls at the same time, none of which is left behind when another breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def every(calls: Iterable[Awaitable[T]]) -> list[T]:
    """What each gave, in their order. A bug is raised once all are over: the bus finds what causes it."""
    calls = list(calls)
    if len(calls) == 1:  # most often; a task of its own would do nothing for it
        return [await calls[0]]
    found: list[T] = []
    for over in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(over, BaseException):
            raise over
        found.append(over)
    return found
