"""One service of the local system: started, watched until ready, started again whenever it dies."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from ekiben.errors import StartError
from ekiben.local.child import Child, describe_exit
from ekiben.local.logs import last_lines, note
from ekiben.local.progress import OnProgress, Progress, State
from ekiben.local.readiness import unready
from ekiben.local.restarts import BackOff, after_death
from ekiben.local.running import RunningService
from ekiben_bus.brokers.ports import free_port

_POLL_S = 0.1
_DEATHS_TO_GIVE_UP = 3


class Supervised:
    """A service as a child process. One that was never ready is given up after three deaths in a row."""

    def __init__(
        self,
        name: str,
        module: str,
        *,
        log: Path,
        env: Mapping[str, str],
        back_off: BackOff,
        clock: Callable[[], float],
        on_progress: OnProgress,
        on_change: Callable[[], None],
    ) -> None:
        self.name = name
        self.running: RunningService | None = None
        self._command = [sys.executable, "-m", module]
        self._log = log
        self._env = env
        self._back_off = back_off
        self._clock = clock
        self._on_progress = on_progress
        self._on_change = on_change
        self._child: Child | None = None
        self._starting = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._ready = asyncio.Event()
        self._supervision: asyncio.Task[None] | None = None
        self._trouble = "it was not started"

    def start(self) -> None:
        """Start it, and keep it running from here on."""
        self._supervision = asyncio.create_task(self._supervise(), name=f"supervise-{self.name}")

    async def wait_until_ready(self, timeout_s: float) -> None:
        """Return when it is ready for the first time.

        Raises:
            StartError: it was not in time, or was given up.
        """
        assert self._supervision is not None
        ready = asyncio.ensure_future(self._ready.wait())
        done, _ = await asyncio.wait(
            {ready, self._supervision}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        ready.cancel()
        if self._ready.is_set():
            return
        if self._supervision in done:
            self._supervision.result()
        raise self._start_error(f"{self._trouble}, after {timeout_s:g} s")

    async def stop(self, patience_s: float, hurry: asyncio.Event) -> None:
        """Let it drain for at most `patience_s`; it is not started again."""
        self._stopping.set()
        async with self._starting:
            child = self._child
        if child is not None and child.is_alive:
            self._tell(State.STOPPING)
            await child.stop(patience_s, hurry)
        if self._supervision is not None:
            await asyncio.gather(self._supervision, return_exceptions=True)
        self.running = None
        self._tell(State.STOPPED)

    async def _supervise(self) -> None:
        deaths = 0
        while not self._stopping.is_set():
            ready_at = await self._live()
            if self._stopping.is_set():
                return
            restart = after_death(self._back_off, deaths=deaths, ready_at=ready_at, died_at=self._clock())
            deaths = restart.deaths
            if not self._ready.is_set() and deaths >= _DEATHS_TO_GIVE_UP:
                raise self._start_error(f"that it {self._trouble}, {deaths} times in a row")
            self._mourn(restart.wait_s)
            await self._pause(restart.wait_s)

    async def _live(self) -> float | None:
        """One life, from start to end: when it got ready, by our clock, if it did."""
        port = free_port()
        try:
            child = await self._start_child(port)
        except (StartError, OSError) as error:
            self._trouble = f"could not be started: {error}"
            return None
        ready_at = await self._until_ready(child, port)
        self._trouble = describe_exit(await child.wait())
        return ready_at

    async def _start_child(self, port: int) -> Child:
        env = {**self._env, "EKIBEN_HEALTH_PORT": str(port)}
        self._tell(State.STARTING)
        async with self._starting:
            self._child = child = await Child.start(self._command, log=self._log, env=env)
        self.running = RunningService(pid=child.pid, health_port=port)
        self._on_change()
        return child

    async def _until_ready(self, child: Child, port: int) -> float | None:
        """When it got ready, by our clock; None if it died, or was told to stop, before."""
        while child.is_alive and not self._stopping.is_set():
            trouble = await unready(port)
            if trouble is None:
                self._ready.set()
                self._tell(State.READY, f"pid {child.pid}")
                return self._clock()
            self._trouble = trouble
            await asyncio.sleep(_POLL_S)
        return None

    def _mourn(self, wait_s: float) -> None:
        why = f"{self._trouble}; starting it again in {wait_s:g} s"
        last = last_lines(self._log, 5)
        note(self._log, f"{self.name} {why}")
        self._tell(State.DIED, "\n".join([why, *last]))

    async def _pause(self, wait_s: float) -> None:
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({stopping}, timeout=wait_s)
        stopping.cancel()

    def _start_error(self, found: str) -> StartError:
        last = last_lines(self._log, 10)
        return StartError(
            expected=f"the {self.name} to get ready",
            found=found,
            attempt="\n".join([f"its log {self._log}, which ends in:", *(f"  {line}" for line in last)]),
        )

    def _tell(self, state: State, detail: str = "") -> None:
        self._on_progress(Progress(self.name, state, detail))
