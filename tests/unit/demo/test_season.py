from __future__ import annotations

import asyncio
import os
from pathlib import Path

import psutil
import pytest

from ekiben.demo.season import train, write_season
from ekiben.demo.tasks import end
from ekiben.errors import StartError
from ekiben.local.home import Home


async def test_requests_and_outcomes_are_written_and_read_by_request_id(tmp_path: Path) -> None:
    season = await write_season(Home(tmp_path), os.environ, 50, "2")
    requests = list(season.requests())

    assert requests[0].request_id == "2013-09-01-UA-1545-EWR@2"
    assert [request.request_id for request in requests] == list(season.outcomes)
    assert {*season.outcomes.values()} == {True, False}
    assert 0 < sum(season.outcomes.values()) < 25


async def test_a_failure_says_what_its_log_says(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"ended with exit code 2.*(?s:.*)expected 1 to 109619 requests"):
        await write_season(Home(tmp_path), os.environ, 1_000_000, "")


async def test_a_cancelled_training_leaves_no_process(tmp_path: Path) -> None:
    training = asyncio.create_task(train(Home(tmp_path), {**os.environ, "EKIBEN_HOME": str(tmp_path)}))
    async with asyncio.timeout(60):
        while not (children := _trainings()):
            await asyncio.sleep(0.05)

    await end(training)

    assert psutil.wait_procs(children, timeout=30)[1] == []


def _trainings() -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if "ekiben_flights.train" in process.cmdline() and "leash.py" not in " ".join(process.cmdline())
    ]
