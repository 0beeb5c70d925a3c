"""The whole system on this machine: Kafka, the topics, the services; started in order, drained in reverse.

async with LocalSystem(Home.of(), on_progress=print) as system:
    async with Ekiben(system.bootstrap_servers) as ekiben:
        ...
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from ekiben.local import running
from ekiben.local.child import Child, describe_exit
from ekiben.local.environment import environment
from ekiben.local.home import Home
from ekiben.local.kafka import Broker, LadderKafka, SupervisedKafka, choose_rung
from ekiben.local.logins import Logins
from ekiben.local.progress import OnProgress, Progress, State, ignore
from ekiben.local.restarts import BackOff
from ekiben.local.running import Running, RunningService
from ekiben.local.supervised import Supervised
from ekiben_bus.acls import apply_acls
from ekiben_bus.brokers.rungs import BrokerSettings, Rung
from ekiben_bus.naming import Naming
from ekiben_bus.settings import KafkaSettings, OwnKafkaSettings
from ekiben_bus.topics import TopicReport, apply_topics

SERVICES: Mapping[str, str] = {
    "deployer": "ekiben_deployer",
    "inference-gateway": "ekiben_inference_gateway",
    "inference-gateway-shadow": "ekiben_inference_gateway.shadow",
    "synthesizer": "ekiben_synthesizer",
}
"""The services and their modules, as `python -m` starts them."""

_BENTOS = "bentos"
_BENTOS_PATIENCE_S = 45.0


@dataclass(frozen=True, slots=True)
class Options:
    """How a local system is run.

    `kafka` and `broker` are the environment's unless given; `port` is the embedded broker's. If `secure`
    that is the broker, and everybody has a login of their own and may do what the contracts say.
    """

    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    broker: BrokerSettings = field(default_factory=BrokerSettings)
    port: int | None = None
    topic_prefix: str = ""
    secure: bool = False
    start_timeout_s: float = 120.0
    drain_timeout_s: float = 40.0
    back_off: BackOff = field(default_factory=BackOff)


class LocalSystem:
    """Entering starts all of it and returns when every service is ready; leaving drains it.

    Raises, on entering:
        AlreadyRunningError: another one has this home.
        BrokerError: there is no broker to work with.
        StartError: a service did not get ready.
    """

    def __init__(
        self, home: Home, options: Options | None = None, *, on_progress: OnProgress = ignore
    ) -> None:
        self.home = home
        self._options = options or Options()
        self._on_progress = on_progress
        self._logins = Logins(home) if self._options.secure else None
        self._hurry = asyncio.Event()
        self._started_at = datetime.now(UTC)
        self._broker = self._choose_broker()
        self._services: list[Supervised] = []
        self._stack = AsyncExitStack()

    @property
    def bootstrap_servers(self) -> str:
        """Where Kafka is, once entered."""
        return self._broker.settings.bootstrap_servers

    @property
    def rung(self) -> Rung:
        """Which rung of the broker ladder serves."""
        return self._broker.rung

    @property
    def topic_prefix(self) -> str:
        """Before every topic."""
        return self._options.topic_prefix

    @property
    def services(self) -> Mapping[str, RunningService]:
        """What runs now, by name."""
        return {service.name: service.running for service in self._services if service.running is not None}

    @property
    def processes(self) -> Mapping[str, int]:
        """The pid of everything that was started here and runs now, the broker too; not the Bentos."""
        pids = {name: service.pid for name, service in self.services.items()}
        return pids if self._broker.pid is None else {"kafka": self._broker.pid, **pids}

    def hurry(self) -> None:
        """Do not wait for anything to drain any more."""
        self._hurry.set()

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        self._stack.enter_context(running.held(self.home))
        self._stack.push_async_callback(self._broker.stop)
        await self._broker.start()
        await self._prepare_broker()
        self._stack.push_async_callback(self._stop_bentos)
        self._services = [self._supervised(name, module) for name, module in SERVICES.items()]
        self._stack.push_async_callback(self._stop_services)
        for service in self._services:
            service.start()
        await asyncio.gather(
            *(service.wait_until_ready(self._options.start_timeout_s) for service in self._services)
        )

    async def _prepare_broker(self) -> None:
        where = self._broker.settings, Naming(self.topic_prefix)
        self._tell("topics", State.READY, _summary(await apply_topics(*where)))
        if self._logins is not None:
            granted = await apply_acls(*where)
            counts = f"{len(granted.missing)} created, {len(granted.existing)} were there"
            self._tell("acls", State.READY, counts)

    def _environment(self, service: str) -> Mapping[str, str]:
        """What a service finds: its own login, and nobody else's."""
        kafka = self._broker.settings
        if self._logins is not None:
            kafka = self._logins.of(service, kafka.bootstrap_servers)
        return environment(self.home, kafka, self.topic_prefix)

    def _choose_broker(self) -> Broker:
        given = self._options
        if self._logins is not None:
            return self._supervised_kafka()
        rung = choose_rung(given.broker, given.kafka)
        if rung is not Rung.EMBEDDED:
            return LadderKafka(self.home, rung, given.broker, given.kafka, self._on_progress)
        return self._supervised_kafka()

    def _supervised_kafka(self) -> SupervisedKafka:
        return SupervisedKafka(
            self.home,
            self._options.port,
            logins=self._logins,
            back_off=self._options.back_off,
            clock=time.monotonic,
            on_progress=self._on_progress,
        )

    def _supervised(self, name: str, module: str) -> Supervised:
        return Supervised(
            name,
            module,
            log=self.home.log_of(name),
            env=self._environment(name),
            back_off=self._options.back_off,
            clock=time.monotonic,
            on_progress=self._on_progress,
            on_change=self._write_running,
        )

    def _write_running(self) -> None:
        what = Running(
            pid=os.getpid(),
            bootstrap_servers=self.bootstrap_servers,
            topic_prefix=self.topic_prefix,
            broker=str(self.rung),
            secure=self._options.secure,
            services=dict(self.services),
            started_at=self._started_at,
        )
        running.write(self.home, what)

    async def _stop_services(self) -> None:
        patience_s = self._options.drain_timeout_s
        await asyncio.gather(*(service.stop(patience_s, self._hurry) for service in self._services))

    async def _stop_bentos(self) -> None:
        """End the model servers by their own supervisor: both outlive the deployer, which started them."""
        self._tell(_BENTOS, State.STOPPING)
        log = self.home.log_of("supervisor")
        stopper = [
            sys.executable,
            "-m",
            "ekiben_deployer.supervisor",
            "--home",
            str(self.home.path),
            "--stop",
        ]
        nobodys = environment(self.home, OwnKafkaSettings(), self.topic_prefix)  # it asks no broker
        child = await Child.start(stopper, log=log, env=nobodys)
        try:
            async with asyncio.timeout(_BENTOS_PATIENCE_S):
                code = await child.wait()
        except TimeoutError:
            self._tell(_BENTOS, State.DIED, f"not stopped within {_BENTOS_PATIENCE_S:g} s; its log: {log}")
            return
        if code == 0:
            self._tell(_BENTOS, State.STOPPED)
        else:
            self._tell(
                _BENTOS, State.DIED, f"not stopped: its supervisor {describe_exit(code)}; its log: {log}"
            )

    def _tell(self, name: str, state: State, detail: str = "") -> None:
        self._on_progress(Progress(name, state, detail))


def _summary(report: TopicReport) -> str:
    lines = [f"{len(report.created)} created, {len(report.existing)} were there", *map(str, report.drifts)]
    return "\n".join(lines)
