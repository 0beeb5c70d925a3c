"""Whose end is ours too: outliving the deployer is the point, outliving `ekiben up` would be a leak."""

from __future__ import annotations

from collections.abc import Callable

import psutil

from ekiben_deployer.supervisor.identity import Identity

VARIABLE = "EKIBEN_OWNER_PID"
"""The process that owns the whole local system; unset, nobody does."""


def watch(pid: str | None) -> Callable[[], bool]:
    """Tells from here on whether the process with this pid is gone."""
    if not pid:
        return lambda: False
    try:
        owner = Identity.of(int(pid))
    except psutil.NoSuchProcess:
        return lambda: True
    return lambda: owner.find() is None
