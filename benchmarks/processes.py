"""Child processes of a run: started with a log, asked to end, ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

POLL_S = 0.05
_MOST_LINES = 15
_ROOT = str(Path(__file__).parents[1])


class Ended(Exception):  # noqa: N818 - the field's word
    """A process that had to run on has ended; the message has the end of its log."""


def python(module: str, *arguments: str, samples: Path | None = None) -> list[str]:
    """The command that runs a module; with `samples`, writing there where its CPU time went."""
    sampled = () if samples is None else ("benchmarks.sampling", str(samples))
    return [sys.executable, "-m", *sampled, module, *arguments]


@dataclass(frozen=True, slots=True)
class Process:
    """A running command and its log."""

    child: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def cpu_s(self) -> float:
        """What it and its children have used so far."""
        itself = psutil.Process(self.pid)
        return sum(sum(each.cpu_times()[:2]) for each in (itself, *itself.children(recursive=True)))

    def check(self, expected: str) -> None:
        """Nothing, while it runs.

        Raises:
            Ended: it has ended, by itself.
        """
        if self.child.poll() is not None:
            raise self.ended(expected, f"exit code {self.child.poll()}")

    def ended(self, expected: str, found: str) -> Ended:
        """The error that says so, with the end of the log."""
        last = "\n".join(self.log.read_text(errors="replace").splitlines()[-_MOST_LINES:])
        return Ended(f"expected {expected}, found: {found}. Its log ends in:\n{last}")


@contextmanager
def running(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """A command that runs for as long as the block."""
    path = os.pathsep.join([_ROOT, *filter(None, [os.environ.get("PYTHONPATH")])])
    with log.open("ab") as out:
        child = subprocess.Popen(  # noqa: S603 - our own commands
            command, stdout=out, stderr=out, env={**os.environ, "PYTHONPATH": path, **(environment or {})}
        )
    try:
        yield Process(child, log)
    finally:
        child.terminate()
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def http_ok(port: int, path: str) -> bool:
    """Whether somebody on this machine answers 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)  # knows no proxies
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def wait_until(is_so: Callable[[], bool], what: str, process: Process, within_s: float = 120.0) -> None:
    """Look until it is so.

    Raises:
        Ended: the process has ended instead, or it took too long.
    """
    end = time.monotonic() + within_s
    while not is_so():
        process.check(what)
        if time.monotonic() > end:
            raise process.ended(what, f"it was not so within {within_s:g} s")
        time.sleep(POLL_S)
