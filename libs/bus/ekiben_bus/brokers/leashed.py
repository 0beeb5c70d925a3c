"""The owner's side of a leash: a child process that is ended when asked to, or when its owner dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ekiben_bus.brokers import leash


class LeashedProcess:
    """A command, running from here on; its output goes to the end of a log.

    The descriptors in `held` stay open until it has ended: a lock for as long as it lives.
    """

    def __init__(
        self, command: Sequence[str], *, log: Path, environment: Mapping[str, str], held: Sequence[int] = ()
    ) -> None:
        with log.open("ab") as output:
            self._leash = subprocess.Popen(  # noqa: S603 - the caller's own command line
                [sys.executable, "-I", "-S", leash.__file__, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=environment,
                pass_fds=held,
                # a Ctrl-C at the terminal is the owner's to handle: others may need this one to drain
                start_new_session=True,
            )
        line = self._leash.stdout.readline() if self._leash.stdout else b""
        self.pid = int(line) if line else None
        """Of the command itself; None if it could not be run."""

    @property
    def running(self) -> bool:
        return self._leash.poll() is None

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Wait until it ends by itself; its exit code, or None if it did not."""
        try:
            return self._leash.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """End it: politely, then by SIGKILL. Does nothing to one that has ended."""
        for pipe in (self._leash.stdin, self._leash.stdout):
            if pipe is not None:
                pipe.close()
        if self.wait(leash.GRACE_S + 5) is None:
            self._leash.kill()
            self._leash.wait()

    def kill(self) -> None:
        """End it at once by SIGKILL, as a crash would."""
        if self.pid is not None and self.running:
            os.kill(self.pid, signal.SIGKILL)
        self.end()
