"""Which process a pid means: pids are given out again, a pid with its start time is not."""

from __future__ import annotations

import psutil
from pydantic import BaseModel, ConfigDict

_CLOCK_SLACK_S = 2.0
"""psutil counts start times from the wall clock of the boot, which NTP may still nudge."""


class Identity(BaseModel):
    """A process: its pid, and when it started in seconds since the epoch."""

    model_config = ConfigDict(frozen=True)

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Identity:
        """The identity of a process that runs now.

        Raises:
            psutil.NoSuchProcess: it does not.
        """
        return cls(pid=pid, started=psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """The process if it still runs; None if it ended, is a zombie, or its pid is somebody else's now."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _CLOCK_SLACK_S
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None
