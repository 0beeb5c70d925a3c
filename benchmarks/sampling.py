"""Runs a module and writes down where its CPU time went: `python -m benchmarks.sampling FILE MODULE [ARG…]`.

A timer of the process's CPU time interrupts it some hundred times a second; the time since the last
interruption is booked on the stack that is met. Unlike cProfile it costs next to nothing, and does not
make small functions look dear. What a C extension does is booked on the line that called it. Only what
runs inside the event loop counts: imports and set-up are no event's cost.
"""

from __future__ import annotations

import json
import runpy
import signal
import sys
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType

INTERVAL_S = 0.002
_LOOP = ("uvloop", "run")

Place = tuple[str, str]
"""A module and a function in it."""


class Sampler:
    """CPU seconds by stack, outermost first."""

    def __init__(self, main: str) -> None:
        self._main = main
        self.seconds: defaultdict[tuple[Place, ...], float] = defaultdict(float)
        self._last = time.process_time()

    def start(self) -> None:
        signal.signal(signal.SIGPROF, self._interrupted)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _interrupted(self, _: int, frame: FrameType | None) -> None:
        now = time.process_time()
        stack: list[Place] = []
        while frame is not None:
            stack.append((self._module(frame), frame.f_code.co_qualname))
            frame = frame.f_back
        if _LOOP in stack:
            self.seconds[tuple(stack[: stack.index(_LOOP)][::-1])] += now - self._last
        self._last = now

    def _module(self, frame: FrameType) -> str:
        name = str(frame.f_globals.get("__name__", "?"))
        return self._main if name == "__main__" else name


def main() -> None:
    file, module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    sampler = Sampler(module)
    sampler.start()
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        sampler.stop()
        Path(file).write_text(json.dumps(list(sampler.seconds.items())))


if __name__ == "__main__":
    main()
