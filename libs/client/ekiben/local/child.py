"""One child process: in a session of its own, its output in a log file, its life on a leash to ours."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ekiben.errors import StartError
from ekiben_bus.brokers import leash

_LARGEST_LOG = 32 * 1024 * 1024
_TAIL_BYTES = 16 * 1024
_SIGNALLED = 128


class Child:
    """A running command. Ctrl-C on the terminal does not reach it: its parent decides when it stops.

    It runs under the broker's leash, which ends it should we die without doing so, even by SIGKILL.
    """

    def __init__(self, process: Process, pid: int, log: Path) -> None:
        self.pid = pid
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, command: Sequence[str], *, log: Path, env: Mapping[str, str]) -> Child:
        """Start a command.

        Raises:
            StartError: there is no such command.
        """
        _make_room(log)
        leashed = [sys.executable, "-I", "-S", leash.__file__, *command]
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *leashed, stdin=PIPE, stdout=PIPE, stderr=errors, env=dict(env), start_new_session=True
            )
        assert process.stdout is not None
        pid = await process.stdout.readline()
        if not pid:
            await process.wait()
            raise StartError(
                expected=f"to start {command[0]}",
                found="\n".join(last_lines(log, 1)),
                attempt=f"the log {log}",
            )
        return cls(process, int(pid), log)

    @property
    def is_alive(self) -> bool:
        """Whether it was not seen to end yet."""
        return self._process.returncode is None

    async def wait(self) -> int:
        """Its exit code, 128 and more for the signal that killed it, as shells count."""
        return await self._process.wait()

    async def stop(self, patience_s: float) -> None:
        """Ask it to end; after `patience_s` end it."""
        self.send(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), patience_s)
        except TimeoutError:
            self.send(signal.SIGKILL)
            await self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal; to a process that is gone, none."""
        if self.is_alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def note(self, line: str) -> None:
        """Write a line of ours into its log, so that the log says why it was started again."""
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"--- ekiben up: {line}\n")

    def last_lines(self, most: int = 5) -> list[str]:
        """The end of its log, without our own notes."""
        return last_lines(self._log, most)


def last_lines(log: Path, most: int) -> list[str]:
    """The last lines of a log that are not notes of ours."""
    try:
        with log.open("rb") as lines:
            lines.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            tail = lines.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [line for line in tail if line.strip() and not line.startswith("--- ekiben up:")][-most:]


def describe_exit(code: int) -> str:
    """How a command ended, in words."""
    try:
        return f"was killed by {signal.Signals(code - _SIGNALLED).name}"
    except ValueError:
        return f"ended with exit code {code}"


def _make_room(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
