"""An event loop whose time is virtual, and processes on it that can be killed or stopped in mid-step.

When nothing is ready the clock jumps to the next timer, so that hours cost milliseconds and the machine's
speed decides nothing. The order of callbacks that are ready together is asyncio's own, first in first out:
asyncio's locks and queues, and much code above them, count on it, so that shuffling it would find bugs that
no loop has. What happens at the same time in the world is told apart by the wire, which gives each request
and each answer a delay of its own.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from contextvars import Context, ContextVar, copy_context
from datetime import UTC, datetime, timedelta
from typing import Any

BEGINNING = datetime(2026, 6, 1, tzinfo=UTC)
_MOST_STEPS = 3_000_000


class DeadlockError(Exception):
    """Nothing is ready, and no timer will ever make something ready."""


class LivelockError(Exception):
    """More steps than any run needs: something turns without waiting."""


class Process:
    """What runs in its context is one process: killed, it never runs again; stopped, only when it is resumed.

    As with SIGKILL and SIGSTOP nothing inside notices: no task is cancelled, no `finally` runs.
    """

    def __init__(self, name: str, skew_s: float = 0.0) -> None:
        self.name = name
        self.skew_s = skew_s
        self.is_frozen = False
        self.held: list[asyncio.Handle] = []
        self.context = copy_context()
        self.context.run(_PROCESS.set, self)

    def freeze(self) -> None:
        """Hold all that would run from now on."""
        self.is_frozen = True

    def thaw(self, loop: VirtualLoop) -> None:
        """Run what was held, in its order."""
        self.is_frozen = False
        loop.run_held(self.held)
        self.held = []


_PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)


def process_name() -> str:
    """Of the process that runs now."""
    process = _PROCESS.get()
    return "-" if process is None else process.name


def skew_s() -> float:
    """By how much the wall clock of the process that runs now is ahead."""
    process = _PROCESS.get()
    return 0.0 if process is None else process.skew_s


def calendar() -> datetime:
    """What every clock shows on a virtual loop; before that runs, the moment in which it begins."""
    try:
        passed_s = asyncio.get_running_loop().time()
    except RuntimeError:
        passed_s = 0.0
    return BEGINNING + timedelta(seconds=passed_s)


class VirtualLoop(asyncio.BaseEventLoop):
    """No sockets, no threads, no signals: they would bring the real world in."""

    _ready: Any

    def __init__(self) -> None:
        super().__init__()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = itertools.count()
        self._now = 0.0
        self.steps = 0
        self.set_exception_handler(lambda loop, context: None)

    def time(self) -> float:
        return self._now

    def run_held(self, handles: list[asyncio.Handle]) -> None:
        """Make handles ready that a process held."""
        self._ready.extend(handles)

    def run_in(self, context: Context, coroutine: Any) -> asyncio.Task[Any]:
        """A task of a process."""
        return self.create_task(coroutine, context=context)

    def call_at(
        self, when: float, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """In the order of time; of two at the same time, in the order in which they were asked for."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def _run_once(self) -> None:
        timers = self._timers
        if not self._ready:
            while timers and timers[0][2].cancelled():
                heapq.heappop(timers)
            if not timers:
                raise DeadlockError("nothing is ready, and no timer is set")
            self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(timers)[2])
        for _ in range(len(self._ready)):
            self._run(self._ready.popleft())

    def _run(self, handle: Any) -> None:
        if handle.cancelled():
            return
        process = handle._context.get(_PROCESS)
        if process is not None and process.is_frozen:
            process.held.append(handle)
            return
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise LivelockError(f"more than {_MOST_STEPS} steps, at {self._now:.3f} s")
        handle._run()
