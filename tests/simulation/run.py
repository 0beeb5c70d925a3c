"""One run: a seed's plan carried out on virtual time, until all is quiet again, and then audited."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

import structlog
from aiokafka import TopicPartition

from ekiben_bus.service import Service
from ekiben_contracts.topics import (
    HEADROOM,
    MODEL_OUTPUTS,
    PREDICTION_REQUESTS,
    PREDICTION_RESULTS,
    SHADOW_OUTPUTS,
    side_purposes,
)
from simulation.claims import Violation
from simulation.clock import VirtualLoop
from simulation.cluster import SimulatedCluster
from simulation.history import READ, History, side
from simulation.instances import STOPPED_WITHIN_S, Instance, Instances
from simulation.plan import PREFIX, Ask, Plan, plan
from simulation.replaying import replays
from simulation.requests import value_of
from simulation.services import Endpoint, gateway, synthesizer, wall_clock
from simulation.trace import Trace
from simulation.trouble import Trouble
from simulation.weather import Weather

_LOOK_EVERY_S = 0.5
_QUIET_WITHIN_S = 400.0
_STORM_FELT_S = 10.0


@dataclass(frozen=True)
class Outcome:
    """What became of a run. `recovered_s` is from the end of the faults to the last answer and commit."""

    seed: int
    records: int
    faults: int
    violations: tuple[Violation, ...]
    digest: str
    recovered_s: float
    virtual_s: float
    trace: tuple[str, ...] = ()


def run(seed: int, *, keep_trace: bool = False) -> Outcome:
    """Carry out the plan of a seed."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        with _quiet_logs(), _no_garbage_collection():
            simulation = Simulation(plan(seed), loop, keep_trace=keep_trace)
            return loop.run_until_complete(simulation.run())
    finally:
        asyncio.set_event_loop(None)
        loop.close()


@contextmanager
def _quiet_logs() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """It would come at another moment in each process, and costs a fifth of a run."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Simulation:
    """The world around the services: their broker, their user, and the end of what goes wrong."""

    def __init__(self, planned: Plan, loop: VirtualLoop, *, keep_trace: bool) -> None:
        random = Random(f"weather of {planned.seed}")
        self._plan = planned
        self._loop = loop
        self._trace = Trace(loop, keep=keep_trace)
        self._weather = Weather(random, planned.climate, self._trace)
        self._history = History(self._trace, READ if planned.synthesizers else READ[:1])
        self._cluster = SimulatedCluster(wall_clock, self._weather, self._history)
        self._endpoint = Endpoint(planned.outages)
        self._instances = Instances(planned, random, loop, self._trace, self._exited)
        self._trouble = Trouble(
            self._instances, self._cluster, self._weather, self._history.custody, random, self._trace
        )
        self._violations: list[Violation] = []
        self._calm_from_s = math.inf

    async def run(self) -> Outcome:
        """The storm, then the calm, then the audit."""
        self._create_topics()
        self._start_all()
        await self._weather_the_storm()
        await self._until_settled()
        self._replay()
        await self._until_settled()
        settled_at = self._loop.time()
        self._violations += self._history.lag()
        self._count_stopped(await self._instances.stop())
        self._count_stopped(self._trouble.did_not_stop)
        outcome = Outcome(
            seed=self._plan.seed,
            records=len(self._history.dues),
            faults=self._trouble.faults + self._weather.faults,
            violations=(*self._violations, *self._history.violations()),
            digest=self._trace.digest,
            recovered_s=settled_at - self._calm_from_s,
            virtual_s=self._loop.time(),
            trace=tuple(self._trace.lines),
        )
        await self._instances.dismantle()
        return outcome

    def _create_topics(self) -> None:
        for topic in (PREDICTION_REQUESTS, MODEL_OUTPUTS, PREDICTION_RESULTS, SHADOW_OUTPUTS):
            self._cluster.create_topic(PREFIX + topic.name, self._plan.partitions, topic.max_message_bytes)
            for group in topic.readers:
                for purpose in side_purposes(topic, group):
                    name, limit = side(topic, group, purpose), topic.max_message_bytes + HEADROOM
                    self._cluster.create_topic(name, self._plan.partitions, limit)

    def _start_all(self) -> None:
        for number in range(self._plan.gateways):
            self._instances.add(f"gateway-{number}", self._gateway)
        for number in range(self._plan.synthesizers):
            self._instances.add(f"synthesizer-{number}", lambda: synthesizer(self._plan, self._cluster))

    def _gateway(self) -> Service:
        return gateway(self._plan, self._cluster, self._endpoint)

    def _guest(self) -> Instance:
        return self._instances.add(f"guest-{len(self._instances.all)}", self._gateway)

    async def _weather_the_storm(self) -> None:
        self._weather.is_stormy = True
        for ask in self._plan.asks:
            self._loop.call_at(ask.at_s, self._publish, ask)
        faults = [self._trouble.strike(fault, self._guest) for fault in self._plan.faults]
        await asyncio.gather(asyncio.sleep(self._plan.calm_from_s), *faults)
        self._weather.is_stormy = False
        self._calm_from_s = self._loop.time()

    def _publish(self, ask: Ask) -> None:
        place = TopicPartition(PREFIX + PREDICTION_REQUESTS.name, ask.partition)
        self._cluster.append(place, [(f"e{ask.partition}".encode(), value_of(ask), [("own", b"\xfe")])])

    def _replay(self) -> None:
        for again in replays(self._history.letters, self._plan.replays):
            assert again.partition is not None
            place = TopicPartition(again.topic, again.partition)
            self._cluster.append(place, [(again.key, again.value, again.headers)])

    async def _until_settled(self) -> None:
        deadline = self._loop.time() + _QUIET_WITHIN_S
        while not self._history.is_settled and self._loop.time() < deadline:
            await asyncio.sleep(_LOOK_EVERY_S)

    def _exited(self, name: str, error: Exception) -> None:
        if self._loop.time() > self._calm_from_s + _STORM_FELT_S:
            self._violations.append(Violation("a service goes on in calm", f"{name}: {error!r}"))

    def _count_stopped(self, not_stopped: int) -> None:
        if not_stopped:
            detail = f"{not_stopped} did not in {STOPPED_WITHIN_S:g} s"
            self._violations.append(Violation("a service stops when it is told", detail))
