"""A child process: its log, its end, and its leash."""

import asyncio
import os
import signal
import subprocess
import sys

import psutil
import pytest

from ekiben.errors import StartError
from ekiben.local.child import Child, describe_exit
from ekiben.local.logs import last_lines, note


@pytest.fixture
def log(tmp_path):
    return tmp_path / "logs" / "child.log"


async def start(log, code):
    return await Child.start([sys.executable, "-c", code], log=log, env=os.environ)


async def test_what_it_says_is_in_its_log(log):
    child = await start(log, "import sys; print('one'); print('two', file=sys.stderr); sys.exit(3)")
    assert await child.wait() == 3
    assert sorted(last_lines(log, 5)) == ["one", "two"]
    assert describe_exit(3) == "ended with exit code 3"


async def test_a_killed_one_is_told_by_the_signal(log):
    child = await start(log, "import time; time.sleep(600)")
    child.send(signal.SIGKILL)
    assert describe_exit(await child.wait()) == "was killed by SIGKILL"
    assert not child.is_alive


async def until_it_says(log, line):
    async with asyncio.timeout(30):
        while last_lines(log, 5) != [line]:
            await asyncio.sleep(0.01)


DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(600)
"""


async def test_one_that_ignores_the_request_to_stop_is_killed(log):
    child = await start(log, DEAF)
    await until_it_says(log, "deaf")
    await child.stop(0.1, hurry=asyncio.Event())
    assert not psutil.pid_exists(child.pid)


async def test_a_command_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(StartError, match="no-such-command"):
        await Child.start(["/no-such-command"], log=tmp_path / "child.log", env=os.environ)


async def test_a_hurry_does_not_wait_for_the_patience_to_end(log):
    child = await start(log, DEAF)
    await until_it_says(log, "deaf")
    hurry = asyncio.Event()
    hurry.set()
    await child.stop(600, hurry)
    assert not psutil.pid_exists(child.pid)


def test_our_notes_are_in_the_log_and_not_among_its_last_lines(tmp_path):
    log = tmp_path / "child.log"
    log.write_text("its own\n")
    note(log, "it ended; starting it again")
    assert last_lines(log, 5) == ["its own"]
    assert "--- ekiben up: it ended" in log.read_text()


def test_a_log_that_is_not_there_has_no_lines(tmp_path):
    assert last_lines(tmp_path / "nothing.log", 5) == []


PARENT = """
import asyncio, os, sys
from pathlib import Path
from ekiben.local.child import Child

async def main():
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    child = await Child.start(sleeper, log=Path(sys.argv[1]), env=os.environ)
    print(child.pid, flush=True)
    await child.wait()

asyncio.run(main())
"""


def test_it_dies_with_its_parent_even_by_sigkill(tmp_path):
    command = [sys.executable, "-c", PARENT, tmp_path / "child.log"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        try:
            child = psutil.Process(int(parent.stdout.readline()))
        finally:
            parent.send_signal(signal.SIGKILL)
    child.wait(timeout=30)
