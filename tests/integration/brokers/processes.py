"""What the tests of brokers ask of processes."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

DEADLINE_S = 60.0


def lives(pid: int) -> bool:
    """True for a process that runs: one that ended and was not collected yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Wait for a condition; TimeoutError when it does not come."""
    deadline = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {deadline_s:g} s")
        time.sleep(0.02)
