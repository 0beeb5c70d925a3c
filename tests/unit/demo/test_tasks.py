from __future__ import annotations

import asyncio

import pytest

from ekiben.demo.tasks import end, repeating, task_group


async def test_the_error_of_a_task_is_raised_as_itself_and_ends_the_others() -> None:
    forever = asyncio.Event()

    async def fail() -> None:
        raise LookupError("no route")

    async def both() -> None:
        async with task_group() as group:
            group.create_task(forever.wait())
            group.create_task(fail())

    with pytest.raises(LookupError, match="no route"):
        await asyncio.wait_for(both(), 30)


async def test_ending_a_task_waits_for_its_clean_up() -> None:
    cleaned: list[str] = []
    begun = asyncio.Event()

    async def work() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append("yes")

    task = asyncio.create_task(work())
    await begun.wait()
    await end(task)

    assert cleaned == ["yes"]


async def test_a_repeated_action_is_done_once_more_at_the_end() -> None:
    state = {"now": 0}
    seen: list[int] = []

    async with repeating(lambda: seen.append(state["now"]), every_s=3_600):
        await asyncio.sleep(0)
        state["now"] = 1

    assert seen == [0, 1]
