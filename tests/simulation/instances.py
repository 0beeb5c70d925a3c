"""The processes of a run, each with a supervisor that starts its service again when it ends with an error."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from ekiben_bus.service import Service
from simulation.clock import Process, VirtualLoop
from simulation.plan import Plan
from simulation.trace import Trace

STOPPED_WITHIN_S = 60.0
_STARTED_AGAIN_S = 1.0

Exited = Callable[[str, Exception], None]


class Instance:
    """One process that runs one service. Killed and started again, it is another process by the same name."""

    def __init__(self, name: str, build: Callable[[], Service], exited: Exited, trace: Trace) -> None:
        self.name = name
        self.in_trouble = False
        self.processes: list[Process] = []
        self.serving: asyncio.Task[None] | None = None
        self._build = build
        self._exited = exited
        self._trace = trace
        self._service: Service | None = None
        self._is_wanted = True

    @property
    def process(self) -> Process:
        """The latest."""
        return self.processes[-1]

    @property
    def is_up(self) -> bool:
        return self.serving is not None and not self.serving.done() and not self.in_trouble

    def start(self, loop: VirtualLoop, skew_s: float) -> None:
        """As a new process."""
        self._is_wanted = True
        self.processes.append(Process(f"{self.name}.{len(self.processes) + 1}", skew_s))
        self._trace.note(f"start {self.process.name}")
        self.serving = loop.run_in(self.process.context, self._supervise())

    async def stop(self) -> bool:
        """Ask it to drain, and its supervisor not to start it again. Returns whether it did in time."""
        self._is_wanted = False
        if self._service is not None:
            self._service.stop()
        if self.serving is None:
            return True
        _, hanging = await asyncio.wait([self.serving], timeout=STOPPED_WITHIN_S)
        return not hanging and not self.serving.cancelled()

    async def _supervise(self) -> None:
        while self._is_wanted:
            self._service = self._build()
            try:
                await self._service.serve()
            except Exception as error:  # noqa: BLE001 - as a supervisor does, whatever it was
                self._trace.note(f"exited: {error!r}")
                self._exited(self.name, error)
                await asyncio.sleep(_STARTED_AGAIN_S)
            else:
                return


class Instances:
    """Those of one run. Each process has a wall clock of its own, a little wrong."""

    def __init__(
        self, planned: Plan, random: Random, loop: VirtualLoop, trace: Trace, exited: Exited
    ) -> None:
        self.all: list[Instance] = []
        self._skew_s = planned.skew_s
        self._random = random
        self._loop = loop
        self._trace = trace
        self._exited = exited

    def add(self, name: str, build: Callable[[], Service]) -> Instance:
        """One more, started."""
        instance = Instance(name, build, self._exited, self._trace)
        self.all.append(instance)
        self.start(instance)
        return instance

    def start(self, instance: Instance) -> None:
        """Start one that was stopped or killed."""
        instance.start(self._loop, self._skew_s * self._random.uniform(-1, 1))

    async def stop(self) -> int:
        """Stop all at once. Returns how many did not in time."""
        stopped = await asyncio.gather(*(instance.stop() for instance in self.all))
        return stopped.count(False)

    async def dismantle(self) -> None:
        """End every task of every process, the killed ones too, so that nothing is left of the run."""
        for instance in self.all:
            for process in instance.processes:
                process.thaw(self._loop)
        this = asyncio.current_task()
        while left := [task for task in asyncio.all_tasks() if task is not this]:
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=30)
