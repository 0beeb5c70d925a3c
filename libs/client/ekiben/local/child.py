"""One child process: in a session of its own, its output in a log file, its life on a leash to ours."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ekiben.errors import StartError
from ekiben.local.logs import last_lines, make_room
from ekiben_bus.brokers.leashed import LeashedProcess

_POLL_S = 0.1
_SIGNALLED = 128


class Child:
    """A running command. Ctrl-C on the terminal does not reach it: its parent decides when it stops.

    Its leash ends it should we die without doing so, even by SIGKILL.
    """

    def __init__(self, process: LeashedProcess, pid: int) -> None:
        self.pid = pid
        self._process = process

    @classmethod
    async def start(cls, command: Sequence[str], *, log: Path, env: Mapping[str, str]) -> Child:
        """Start a command.

        Raises:
            StartError: there is no such command.
        """
        make_room(log)
        starting = asyncio.ensure_future(asyncio.to_thread(LeashedProcess, command, log=log, environment=env))
        try:
            process = await asyncio.shield(starting)
        except asyncio.CancelledError:  # the thread goes on: wait, or its process would be left behind
            await asyncio.to_thread((await starting).end)
            raise
        if process.pid is None:
            await asyncio.to_thread(process.end)
            found = "; ".join(last_lines(log, 1)) or "nothing that runs"
            raise StartError(expected=f"to start {command[0]}", found=found, attempt=f"the log {log}")
        return cls(process, process.pid)

    @property
    def is_alive(self) -> bool:
        """Whether it was not seen to end yet."""
        return self._process.running

    async def wait(self) -> int:
        """Its exit code, 128 and more for the signal that killed it, as shells count."""
        while self._process.running:  # noqa: ASYNC110 - a process has no event; a thread each would cost more
            await asyncio.sleep(_POLL_S)
        await asyncio.to_thread(self._process.end)  # closes the pipes to its leash
        return self._process.wait() or 0

    async def stop(self, patience_s: float, hurry: asyncio.Event) -> None:
        """Ask it to end; after `patience_s`, or at once when there is a hurry, end it."""
        self.send(signal.SIGTERM)
        ending = asyncio.ensure_future(self.wait())
        hurried = asyncio.ensure_future(hurry.wait())
        await asyncio.wait({ending, hurried}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not ending.done():
            self.send(signal.SIGKILL)
        await ending

    def send(self, number: signal.Signals) -> None:
        """Send a signal; to a process that is gone, none."""
        if self.is_alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def describe_exit(code: int) -> str:
    """How a command ended, in words."""
    try:
        return f"was killed by {signal.Signals(code - _SIGNALLED).name}"
    except ValueError:
        return f"ended with exit code {code}"
