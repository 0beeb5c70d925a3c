"""One broker for one folder of data. Kafka's own lock comes too late: by then the first one is harmed."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ekiben_bus.brokers.errors import BrokerStartError

_NAME = "in-use"
_PATIENCE_S = 5.0
"""What a broker may take to end whose owner was killed a moment ago."""
_POLL_S = 0.05


@contextmanager
def locked_folder(folder: Path) -> Generator[int]:
    """Hold the folder; yields the descriptor that holds it.

    A child process that inherits the descriptor goes on holding it, for as long as it lives.

    Raises:
        BrokerStartError: another one holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(lock, folder)
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        yield lock
    finally:
        os.close(lock)


def _acquire(lock: int, folder: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not _try(lock):
        if time.monotonic() > deadline:
            holder = os.pread(lock, 32, 0).decode("ascii", "replace")
            raise BrokerStartError(
                f"expected {folder} to be free, found another broker at work on it, started by process "
                f"{holder}; stop that one, or name another folder"
            )
        time.sleep(_POLL_S)


def _try(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
