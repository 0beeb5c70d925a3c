"""Waiting for what another process does: with a deadline, and never longer than needed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

DEADLINE_S = 120.0

Found = TypeVar("Found")


def until(look: Callable[[], Found], what: str, deadline_s: float = DEADLINE_S) -> Found:
    """Look again and again until there is something, and return it; TimeoutError when nothing comes."""
    end = time.monotonic() + deadline_s
    while not (found := look()):
        if time.monotonic() > end:
            raise TimeoutError(f"expected {what} within {deadline_s:g} s")
        time.sleep(0.01)
    return found
