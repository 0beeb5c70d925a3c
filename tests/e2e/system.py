"""`ekiben up` as a user runs it, and the other commands beside it. Nothing here imports Ekiben."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from e2e.waiting import until

EKIBEN = Path(sys.executable).with_name("ekiben")
_OTHERS = ("EKIBEN_", "KAFKA_", "MLFLOW_", "BENTOML_")
_KEPT = "EKIBEN_CACHE"  # with Kafka's jars in it


class System:
    """A home, the `ekiben up` in it, and the command line of a second terminal."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.home = home
        self.environment = {
            **{n: value for n, value in os.environ.items() if not n.startswith(_OTHERS) or n == _KEPT},
            **environment,
            "EKIBEN_HOME": str(home),
        }
        self._said = home / "said.jsonl"
        self._up: subprocess.Popen[bytes] | None = None

    # ---- the first terminal

    def launch(self) -> None:
        """Start it."""
        self.home.mkdir(parents=True, exist_ok=True)
        with self._said.open("wb") as said, (self.home / "complained.txt").open("wb") as complained:
            self._up = subprocess.Popen(
                [EKIBEN, "up", "--json"], stdout=said, stderr=complained, env=self.environment
            )

    def start(self) -> None:
        """Start it; returns when it says that all is ready."""
        self.launch()
        until(lambda: self.told("ekiben", "ready") or self.exit_code is not None, "`ekiben up` to get ready")
        assert self.exit_code is None, (self.home / "complained.txt").read_text()

    @property
    def exit_code(self) -> int | None:
        return None if self._up is None else self._up.poll()

    def told(self, part: str, state: str) -> list[dict[str, Any]]:
        """What it has said of a part being in a state, so far."""
        whole_lines = self._said.read_text().rpartition("\n")[0].splitlines()
        return [
            said for said in map(json.loads, whole_lines) if (said["part"], said["state"]) == (part, state)
        ]

    def send(self, number: signal.Signals) -> None:
        assert self._up is not None
        self._up.send_signal(number)

    def wait(self, deadline_s: float = 120) -> int:
        assert self._up is not None
        return self._up.wait(deadline_s)

    def pid_of(self, service: str) -> int:
        return self.running()["services"][service]["pid"]

    def running(self) -> dict[str, Any]:
        return json.loads((self.home / "up.json").read_text())

    def log_of(self, service: str) -> str:
        return (self.home / "logs" / f"{service}.log").read_text()

    def processes(self) -> list[psutil.Process]:
        """Everything that runs with this home in its environment: all that was started for it."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def kill_all(self) -> None:
        """End what is left, should anything be."""
        for process in self.processes():
            process.kill()
        if self._up is not None:
            self._up.wait()

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return (
                process.environ().get("EKIBEN_HOME") == str(self.home)
                and process.status() != psutil.STATUS_ZOMBIE
            )
        except psutil.Error:
            return False

    # ---- the second terminal

    def ekiben(
        self, *arguments: str, stdin: str | bytes = b"", deadline_s: float = 180
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        ended = subprocess.run(
            [EKIBEN, *arguments],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            env=self.environment,
            capture_output=True,
            timeout=deadline_s,
            check=False,
        )
        return subprocess.CompletedProcess(
            ended.args, ended.returncode, ended.stdout.decode(), ended.stderr.decode()
        )

    def json(self, *arguments: str, exit_code: int = 0) -> Any:
        """The one JSON document that a command prints."""
        ended = self.ekiben(*arguments, "--json")
        assert ended.returncode == exit_code, ended
        return json.loads(ended.stdout)

    def json_lines(self, *arguments: str) -> list[dict[str, Any]]:
        """The JSON lines that a command prints."""
        ended = self.ekiben(*arguments, "--json")
        assert ended.returncode == 0, ended
        return [json.loads(line) for line in ended.stdout.splitlines()]

    def train(self, *models: str) -> None:
        """Train, register and announce tiny models."""
        script = Path(__file__).with_name("tiny_models.py")
        subprocess.run([sys.executable, script, *models], env=self._connected(), check=True, timeout=180)

    def _connected(self) -> dict[str, str]:
        running = self.running()
        return {
            **self.environment,
            "KAFKA_BOOTSTRAP_SERVERS": running["bootstrap_servers"],
            "EKIBEN_TOPIC_PREFIX": running["topic_prefix"],
        }


@contextmanager
def running(home: Path, environment: Mapping[str, str]) -> Iterator[System]:
    """A system that is ready, drained by Ctrl-C at the end; whatever fails, nothing of it stays."""
    system = System(home, environment)
    try:
        system.start()
        yield system
        if system.exit_code is None:
            system.send(signal.SIGINT)
            assert system.wait() == 0
    finally:
        system.kill_all()
