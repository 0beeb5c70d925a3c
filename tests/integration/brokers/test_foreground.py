"""`python -m ekiben_bus.brokers.embedded`, as a supervisor runs it."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass

import pytest

from ekiben_bus.brokers.ports import free_port
from integration.brokers.processes import lives, wait_until


@dataclass
class Foreground:
    process: subprocess.Popen[str]
    kafka_pid: int
    said: str
    port: int


@pytest.fixture
def foreground(tmp_path):
    port = free_port()
    module = [sys.executable, "-m", "ekiben_bus.brokers.embedded"]
    command = [*module, "--port", str(port), "--data", tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        said = process.stdout.readline()
        yield Foreground(process, int(said.rpartition(" ")[2]), said, port)
        process.kill()


def test_it_says_where_it_answers_and_sigterm_ends_it_with_its_broker(foreground):
    assert f"Apache Kafka 4.3.0 answers at 127.0.0.1:{foreground.port}" in foreground.said
    foreground.process.terminate()
    assert foreground.process.wait(60) == 0
    assert not lives(foreground.kafka_pid)


def test_a_broker_that_dies_ends_it_with_a_reason(foreground):
    os.kill(foreground.kafka_pid, signal.SIGKILL)
    _, errors = foreground.process.communicate(timeout=60)
    assert foreground.process.returncode == 1
    assert "Kafka ended by itself" in errors


def test_killed_by_sigkill_it_leaves_no_broker_behind(foreground):
    foreground.process.kill()
    wait_until(lambda: not lives(foreground.kafka_pid))
