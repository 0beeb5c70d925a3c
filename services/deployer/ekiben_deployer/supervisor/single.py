"""One supervisor a home: a lock that the kernel takes back however its holder ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRunningError(RuntimeError):
    """Another supervisor holds the lock. Leave the work to it."""


@contextmanager
def sole(lock: Path) -> Iterator[None]:
    """Hold the lock for as long as the block runs.

    Raises:
        AlreadyRunningError: somebody else holds it.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError(f"a supervisor of {lock.parent} runs already") from error
        yield
