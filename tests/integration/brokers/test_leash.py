import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from ekiben_bus.brokers.leashed import LeashedProcess
from integration.brokers.processes import lives, wait_until

SLEEPER = ("sleep", "600")
OWNER = """
import sys, os, pathlib
from ekiben_bus.brokers.leashed import LeashedProcess
child = LeashedProcess(["sleep", "600"], log=pathlib.Path(sys.argv[1]), environment=os.environ)
print(child.pid, flush=True)
child.wait()
"""


POLITE = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("bye")))
print("up", flush=True)
signal.pause()
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "output.log"


@pytest.fixture
def leashed(log):
    started = []

    def start(*command: str) -> LeashedProcess:
        process = LeashedProcess(command, log=log, environment=os.environ)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()


def test_a_command_runs_and_its_output_and_exit_code_are_kept(leashed, log):
    process = leashed(sys.executable, "-c", "print('said'); raise SystemExit(7)")
    assert process.wait(30) == 7
    assert log.read_text() == "said\n"


def test_a_command_that_does_not_exist_has_no_pid_and_the_log_says_so(leashed, log):
    process = leashed("no-such-command")
    assert process.pid is None
    assert process.wait(30) != 0
    assert "no-such-command" in log.read_text()


def test_end_is_polite(leashed, log):
    process = leashed(sys.executable, "-c", POLITE)
    wait_until(lambda: "up" in log.read_text())
    process.end()
    assert log.read_text() == "up\nbye\n"


def test_a_command_that_is_killed_tells_the_signal_as_shells_do(leashed):
    process = leashed(*SLEEPER)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(30) == 128 + signal.SIGKILL


def test_when_its_owner_is_killed_the_command_ends(log):
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(log)], stdout=subprocess.PIPE)
    with owner:
        pid = int(owner.stdout.readline())
        assert lives(pid)
        owner.kill()
        wait_until(lambda: not lives(pid))


if sys.platform == "linux":  # by PR_SET_PDEATHSIG, which others do not have

    def test_when_the_leash_itself_is_killed_the_command_dies_with_it(leashed):
        process = leashed(*SLEEPER)
        psutil.Process(process.pid).parent().kill()
        wait_until(lambda: not lives(process.pid))


def test_a_ctrl_c_at_the_terminal_does_not_reach_the_command(leashed):
    process = leashed(*SLEEPER)
    assert os.getpgid(process.pid) != os.getpgid(0)
