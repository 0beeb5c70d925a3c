"""Several tasks at once, of which the first error is raised as itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


@asynccontextmanager
async def task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """asyncio's TaskGroup, without the group around an error: whoever reads it wants the error."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None


async def end(task: asyncio.Task[object]) -> None:
    """Cancel a task and wait until it has cleaned up; what it raises then was told before."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def repeating(action: Callable[[], None], every_s: float) -> AsyncIterator[None]:
    """Do something again and again while the block lasts, and once more at its end."""

    async def repeat() -> None:
        while True:
            action()
            await asyncio.sleep(every_s)

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        await end(task)
        action()
