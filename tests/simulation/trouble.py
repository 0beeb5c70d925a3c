"""Carries out what the plan lets go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    KafkaError,
    KafkaStorageError,
)

from ekiben_bus.memory import Errand
from simulation.clock import VirtualLoop
from simulation.cluster import SimulatedCluster
from simulation.custody import Custody
from simulation.instances import Instance, Instances
from simulation.plan import Fault, FaultKind
from simulation.trace import Trace
from simulation.weather import Weather

_FORGOTTEN = 5
_FURTHEST_STEP_S = 5.0


class Trouble:
    """One fault at a time for each process; several processes, and the broker, may have theirs at once."""

    def __init__(
        self,
        instances: Instances,
        cluster: SimulatedCluster,
        weather: Weather,
        custody: Custody,
        random: Random,
        trace: Trace,
    ) -> None:
        self.faults = 0
        self.did_not_stop = 0
        self._instances = instances
        self._cluster = cluster
        self._weather = weather
        self._custody = custody
        self._random = random
        self._trace = trace

    async def strike(self, fault: Fault, guest: Callable[[], Instance]) -> None:
        """Wait for its time, let it happen, and end it after its time."""
        await asyncio.sleep(fault.at_s)
        instance = self._instances.all[fault.target % len(self._instances.all)]
        self._trace.note(f"fault: {fault.kind} {instance.name} for {fault.for_s:.2f} s")
        self.faults += 1
        match fault.kind:
            case FaultKind.CRASH | FaultKind.PAUSE | FaultKind.RESTART if instance.is_up:
                instance.in_trouble = True
                await self._hit(instance, fault)
                instance.in_trouble = False
            case FaultKind.JOIN:
                await self._visit(guest(), fault.for_s)
            case FaultKind.STEP_CLOCK:
                instance.process.skew_s = self._random.uniform(-_FURTHEST_STEP_S, _FURTHEST_STEP_S)
            case FaultKind.FORGET_COMMITS:
                self._forget_commits()
            case FaultKind.REFUSE_RECORDS:
                topics = sorted(self._cluster.partitions)
                topic = topics[fault.target % len(topics)]
                await self._refuse([(Errand.PRODUCE, topic)], KafkaStorageError(), fault.for_s)
            case FaultKind.REFUSE_COMMITS:
                refused = [(Errand.COMMIT, group) for group in sorted(self._cluster.groups)]
                error = (GroupCoordinatorNotAvailableError, GroupAuthorizationFailedError)[fault.target % 2]
                await self._refuse(refused[fault.target % 3 :], error(), fault.for_s)
            case _:
                self._trace.note("it is down already")

    async def _hit(self, instance: Instance, fault: Fault) -> None:
        process = instance.process
        if fault.kind is FaultKind.PAUSE:
            process.freeze()
            await asyncio.sleep(fault.for_s)
            self._trace.note(f"resume {process.name}")
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            process.thaw(loop)
            return
        if fault.kind is FaultKind.CRASH or not await instance.stop():
            self.did_not_stop += fault.kind is not FaultKind.CRASH
            process.freeze()
        await asyncio.sleep(fault.for_s)
        self._instances.start(instance)

    async def _visit(self, guest: Instance, for_s: float) -> None:
        await asyncio.sleep(for_s)
        if guest.is_up:
            guest.in_trouble = True
            self.did_not_stop += not await guest.stop()

    def _forget_commits(self) -> None:
        """A coordinator that failed over without the latest commits: what was read is delivered again."""
        for _, group in sorted(self._cluster.groups.items()):
            kept = {
                place: self._random.randint(max(0, offset - _FORGOTTEN), offset)
                for place, offset in sorted(group.committed.items())
            }
            group.fail_over(kept)
            for place, offset in kept.items():
                self._custody.rewind(place, offset)

    async def _refuse(self, what: list[tuple[Errand, str]], error: KafkaError, for_s: float) -> None:
        self._trace.note(f"refusing {what}")
        self._weather.refusing.update(dict.fromkeys(what, error))
        await asyncio.sleep(for_s)
        for each in what:
            self._weather.refusing.pop(each, None)
