from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ekiben.demo.memory import Memory, name_of
from ekiben.local.home import Home


@pytest.mark.parametrize(
    ("command", "environ", "name"),
    [
        (["java", "-Xmx512m", "kafka.Kafka", "server.properties"], {}, "kafka"),
        (["java", "kafka.tools.StorageTool", "format"], {}, "kafka"),
        (["python", "-m", "ekiben_inference_gateway"], {}, "inference-gateway"),
        (["python", "-m", "ekiben_synthesizer"], {}, "synthesizer"),
        (["python", "-m", "ekiben_deployer"], {}, "deployer"),
        (["python", "-m", "ekiben_deployer.supervisor", "--home", "x"], {}, "model-server supervisor"),
        (["python", "-m", "ekiben_flights.train"], {}, "training"),
        (["bentoml", "serve"], {"EKIBEN_SERVING_CHILD": "/home/serving/trees@1"}, "model server trees@1"),
        (["python", "/x/leash.py", "python", "-m", "ekiben_synthesizer"], {}, "leashes"),
        (["python", "-m", "bentoml", "build"], {}, "packaging"),
        (["python", "-c", "pass"], {}, "others"),
    ],
)
def test_a_process_is_named_by_what_it_was_started_with(
    command: list[str], environ: dict[str, str], name: str
) -> None:
    assert name_of(command, environ) == name


def later() -> float:
    return time.time() + 10


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the home that is nobody's child here, as a model server is."""
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "EKIBEN_HOME": str(tmp_path), "EKIBEN_SERVING_CHILD": "serving/trees@1"},
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


@pytest.fixture
def owner() -> Iterator[subprocess.Popen[bytes]]:
    """An `ekiben up` without children: below this process run those of other tests."""
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_the_processes_of_the_home_are_found_and_added_up_by_name(
    tmp_path: Path, stranger: subprocess.Popen[bytes], owner: subprocess.Popen[bytes]
) -> None:
    memory = Memory(Home(tmp_path), owner=owner.pid, clock=later)
    memory.look()

    assert set(memory.peaks) == {"demo", "ekiben up", "model server trees@1"}
    assert min(memory.peaks.values()) > 1


def test_the_peak_is_kept_when_the_process_has_gone(
    tmp_path: Path, stranger: subprocess.Popen[bytes]
) -> None:
    memory = Memory(Home(tmp_path), owner=os.getpid(), clock=later)
    memory.look()
    before = memory.peaks["model server trees@1"]
    stranger.kill()
    stranger.wait()
    memory.look()

    assert memory.peaks["model server trees@1"] == before


def test_a_process_that_was_only_just_forked_is_not_counted_twice(
    tmp_path: Path, stranger: subprocess.Popen[bytes]
) -> None:
    born = psutil.Process(stranger.pid).create_time()
    memory = Memory(Home(tmp_path), owner=os.getpid(), clock=lambda: born + 0.5)
    memory.look()

    assert "model server trees@1" not in memory.peaks


def test_the_system_that_runs_already_is_named(tmp_path: Path, stranger: subprocess.Popen[bytes]) -> None:
    memory = Memory(Home(tmp_path), owner=stranger.pid, clock=later)
    memory.look()

    assert "ekiben up" in memory.peaks
