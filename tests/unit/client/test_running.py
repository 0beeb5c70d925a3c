"""One `up` for each home, and what it says of itself."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from ekiben.errors import AlreadyRunningError
from ekiben.local import running
from ekiben.local.home import Home
from ekiben.local.running import Running, RunningService

NOW = datetime(2013, 3, 1, 12, tzinfo=UTC)
WHAT_RUNS = Running(
    pid=os.getpid(),
    bootstrap_servers="127.0.0.1:9092",
    broker="embedded",
    services={"inference-gateway": RunningService(pid=1, health_port=2)},
    started_at=NOW,
)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


def test_a_second_one_in_the_same_home_is_refused_and_told_whose_it_is(home):
    with (
        running.held(home),
        pytest.raises(AlreadyRunningError, match=f"process {os.getpid()}"),
        running.held(home),
    ):
        pass


def test_what_runs_is_read_back(home):
    with running.held(home):
        running.write(home, WHAT_RUNS)
        assert running.read(home) == WHAT_RUNS


def test_nothing_is_left_at_the_end(home):
    with running.held(home):
        running.write(home, WHAT_RUNS)
    assert not home.running.exists()
    assert running.read(home) is None


def test_nothing_runs_in_a_home_that_never_was(home):
    assert running.read(home) is None


def test_what_a_killed_one_left_behind_does_not_count(home):
    script = (
        "import sys, time; from ekiben.local import running; from ekiben.local.home import Home\n"
        "home = Home.of(sys.argv[1])\n"
        "with running.held(home):\n"
        f"    running.write(home, running.Running.model_validate_json({WHAT_RUNS.model_dump_json()!r}))\n"
        "    print('held', flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, home.path], stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout.readline() == "held\n"
            assert running.read(home) == WHAT_RUNS
        finally:
            holder.send_signal(signal.SIGKILL)
    assert home.running.exists()
    assert running.read(home) is None
    with running.held(home):
        assert running.read(home) is None, "the file of the killed one must not pass for ours"
