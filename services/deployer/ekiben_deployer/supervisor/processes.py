"""Starting, finding and ending the processes of a child."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from ekiben_deployer.supervisor.files import Desired
from ekiben_deployer.supervisor.logs import begin

MARKER = "EKIBEN_SERVING_CHILD"
"""In the environment of a child and of all it starts: `bentoml serve` starts its worker in a session of
its own, so when the parent is killed nothing else tells whose the worker is."""

_GONE_WITHIN_S = 5.0
_POLL_S = 0.02


def launch(desired: Desired, mark: str, log: Path) -> subprocess.Popen[bytes]:
    """Start a child, away from our terminal, its output at the end of `log`."""
    begin(log)
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - the command is what the deployer asked for
            desired.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **desired.environment, MARKER: mark},
            start_new_session=True,
        )


def marked(mark: str) -> list[psutil.Process]:
    """Every process whose mark is this one, or begins with it where it ends in a slash."""
    return [process for process in psutil.process_iter() if _has_mark(process, mark)]


def kill(processes: Iterable[psutil.Process]) -> None:
    """End processes now, and wait until they are gone; those already gone are fine."""
    ended = list(processes)
    for process in ended:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    await_end(ended, _GONE_WITHIN_S)


def await_end(processes: Iterable[psutil.Process], timeout_s: float) -> list[psutil.Process]:
    """Wait until processes have ended; those that have not by then.

    A zombie has ended: its parent may be busy elsewhere, and psutil's own wait would wait for that.
    """
    left, deadline = list(processes), time.monotonic() + timeout_s
    while (left := [process for process in left if is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return left


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still does anything."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def describe_exit(code: int | None) -> str:
    """How a process ended, in words. None: it was not our child, so nobody told us."""
    if code is None:
        return "ended, and only the supervisor that started it could tell how"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _has_mark(process: psutil.Process, mark: str) -> bool:
    try:
        found = process.environ().get(MARKER, "")
    except (psutil.Error, OSError):  # gone, a zombie, or another user's
        return False
    return found.startswith(mark) if mark.endswith("/") else found == mark
