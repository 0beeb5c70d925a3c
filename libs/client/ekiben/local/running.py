"""`up.json`: what an `ekiben up` of this home runs, for every other command; and the lock beside it.

The kernel drops the lock when its holder dies, however it dies, so that a file left behind by a
killed `up` is told from a live one.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ekiben.errors import AlreadyRunningError
from ekiben.local.home import Home


class RunningService(BaseModel):
    """One supervised process, and where its /readyz answers."""

    model_config = ConfigDict(frozen=True)

    pid: int
    health_port: int


class Running(BaseModel):
    """What an `up` runs."""

    model_config = ConfigDict(frozen=True)

    pid: int
    bootstrap_servers: str
    topic_prefix: str = ""
    broker: str
    secure: bool = False
    services: dict[str, RunningService]
    started_at: datetime


@contextmanager
def held(home: Home) -> Iterator[None]:
    """Hold the home for ourselves.

    Raises:
        AlreadyRunningError: another process holds it.
    """
    home.path.mkdir(parents=True, exist_ok=True)
    with home.lock.open("a+") as lock:
        if not _lock(lock.fileno(), fcntl.LOCK_EX):
            lock.seek(0)
            raise AlreadyRunningError(
                expected=f"the home {home.path} for this `ekiben up` alone",
                found=f"another one in it, process {lock.read().strip() or 'unknown'}",
                attempt="to use that one, to stop it first, or EKIBEN_HOME=another/folder",
            )
        home.running.unlink(missing_ok=True)  # a killed one may have left it
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        try:
            yield
        finally:
            home.running.unlink(missing_ok=True)
            lock.truncate(0)


def is_held(home: Home) -> bool:
    """Whether a live process holds the home."""
    try:
        with home.lock.open("r") as lock:
            return not _lock(lock.fileno(), fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


def write(home: Home, running: Running) -> None:
    """Replace up.json as a whole: a reader sees the old one or the new one."""
    fresh = home.running.with_suffix(f".{os.getpid()}.tmp")
    fresh.write_text(running.model_dump_json(indent=2) + "\n", encoding="utf-8")
    fresh.replace(home.running)


def read(home: Home) -> Running | None:
    """What runs in a home; None when nothing does, or it is only just starting."""
    return _parse(home.running) if is_held(home) else None


def _parse(path: Path) -> Running | None:
    try:
        return Running.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
