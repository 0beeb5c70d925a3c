"""A connection over TLS closes on either event loop, and what it is closed for is what is raised."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from ekiben_bus.diagnosing import diagnose
from ekiben_bus.refusals import Case
from unit.bus.tiny_broker import by_password, tiny_broker


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_refused_login_is_told_as_one_on_either_loop(
    tmp_path: Path, new_loop: Callable[[], asyncio.AbstractEventLoop]
):
    async def refused() -> Case | None:
        async with tiny_broker(tmp_path) as broker:
            broker.refuses = True
            refusal = await diagnose(by_password(broker, tmp_path))
            return refusal.case if refusal is not None else None

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(refused()) is Case.WRONG_LOGIN
