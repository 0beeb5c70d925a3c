"""The broker of a local system, by the rungs of the ladder; an embedded one is started again when it dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from typing import Protocol

from ekiben.local.home import Home
from ekiben.local.logins import ADMIN, Logins
from ekiben.local.progress import OnProgress, Progress, State
from ekiben.local.restarts import BackOff, after_death
from ekiben.local.threads import to_the_end
from ekiben_bus.brokers import ladder
from ekiben_bus.brokers.embedded import EmbeddedKafka
from ekiben_bus.brokers.errors import BrokerError, BrokerStartError
from ekiben_bus.brokers.ports import is_free
from ekiben_bus.brokers.rungs import (
    BrokerSettings,
    Rung,
    climb,
    why_not_containers,
    why_not_embedded,
    why_not_external,
)
from ekiben_bus.brokers.security import Security
from ekiben_bus.settings import KafkaSettings, OwnKafkaSettings

NAME = "kafka"
USUAL_PORT = 9092
_POLL_S = 0.25


class Broker(Protocol):
    """Where Kafka is, for as long as the system runs. Starting raises a BrokerError where there is none."""

    @property
    def settings(self) -> KafkaSettings: ...
    @property
    def rung(self) -> Rung: ...
    @property
    def pid(self) -> int | None: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


def choose_rung(settings: BrokerSettings, kafka: KafkaSettings) -> Rung:
    """The broker that is named, else an embedded one; a container only where EKIBEN_BROKER asks for it.

    Raises:
        BrokerError: the rung does not hold.
    """
    rungs = {Rung.EXTERNAL: lambda: why_not_external(kafka), Rung.EMBEDDED: why_not_embedded}
    if settings.broker is Rung.CONTAINERS:
        rungs[Rung.CONTAINERS] = lambda: why_not_containers(settings)
    return climb(settings.broker, rungs).rung


class LadderKafka:
    """Somebody else's broker, or one in a container: who runs it sees that it stays up."""

    pid = None

    def __init__(
        self, home: Home, rung: Rung, settings: BrokerSettings, kafka: KafkaSettings, on_progress: OnProgress
    ) -> None:
        self.rung = rung
        self.settings = kafka
        self._home = home
        self._asked = settings.model_copy(update={"broker": rung})
        self._on_progress = on_progress
        self._stack = ExitStack()

    async def start(self) -> None:
        """Return when it is there."""
        self._on_progress(Progress(NAME, State.STARTING))
        asked = ladder.broker(self._home.path, settings=self._asked, kafka=self.settings)
        found = await to_the_end(lambda: self._stack.enter_context(asked))
        self.settings = found.settings
        self._on_progress(Progress(NAME, State.READY, str(found)))

    async def stop(self) -> None:
        """Stop a container; leave somebody else's alone."""
        await asyncio.to_thread(self._stack.close)


class SupervisedKafka:
    """Apache Kafka in a child process, its data in the home. Started again on the same port if it dies.

    Without a port of the user's choice it takes 9092, or a free one where that is taken. With `logins` it
    refuses everybody else.
    """

    rung = Rung.EMBEDDED

    def __init__(
        self,
        home: Home,
        port: int | None,
        *,
        logins: Logins | None = None,
        back_off: BackOff,
        clock: Callable[[], float],
        on_progress: OnProgress,
    ) -> None:
        self._home = home
        self._port = port
        self._logins = logins
        self._security: Security | None = None
        self._kafka = self._make(USUAL_PORT if port is None else port)
        self._back_off = back_off
        self._clock = clock
        self._on_progress = on_progress
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def settings(self) -> KafkaSettings:
        """How to reach it, once it was started: as its super user, or without a login, whatever the
        environment may hold."""
        if self._logins is not None:
            return self._logins.of(ADMIN, self._kafka.bootstrap_servers)
        return OwnKafkaSettings(bootstrap_servers=self._kafka.bootstrap_servers)

    @property
    def pid(self) -> int | None:
        """Of the JVM, while it runs."""
        return self._kafka.pid

    async def start(self) -> None:
        """Return when it answers.

        Raises:
            BrokerError: it cannot be started.
            StartError: a password of the home is gone.
        """
        self._loop = asyncio.get_running_loop()
        if self._logins is not None:  # only now: whoever enters the home before us has it, and its files
            self._security = self._logins.security()
            self._kafka = self._make(USUAL_PORT if self._port is None else self._port)
        self._tell(State.STARTING)
        try:
            await to_the_end(self._kafka.start)
        except BrokerStartError:
            if self._port is not None or is_free(USUAL_PORT):
                raise
            self._tell(
                State.STARTING, f"port {USUAL_PORT} is taken by another program: looking for a free one"
            )
            self._kafka = self._make(0)
            await to_the_end(self._kafka.start)
        self._tell_ready()
        self._watching = asyncio.create_task(self._watch(), name="supervise-kafka")

    async def stop(self) -> None:
        """End it: politely, then by force."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        self._tell(State.STOPPING)
        await asyncio.to_thread(self._kafka.stop)
        self._tell(State.STOPPED)

    def _make(self, port: int) -> EmbeddedKafka:
        return EmbeddedKafka(
            self._home.kafka if self._security is None else self._home.secure_kafka,
            port=port,
            log=self._home.log_of(NAME),
            security=self._security,
            progress=self._tell_from_thread,
        )

    async def _watch(self) -> None:
        deaths, ready_at = 0, self._clock()
        while True:
            await asyncio.sleep(_POLL_S)
            if self._kafka.running:
                continue
            restart = after_death(self._back_off, deaths=deaths, ready_at=ready_at, died_at=self._clock())
            deaths = restart.deaths
            why = f"it ended by itself; starting it again in {restart.wait_s:g} s; its log: {self._kafka.log}"
            self._tell(State.DIED, why)
            await asyncio.sleep(restart.wait_s)
            try:
                await to_the_end(self._kafka.start)
            except BrokerError as error:
                self._tell(State.DIED, str(error))
            else:
                ready_at = self._clock()
                self._tell_ready()

    def _tell_ready(self) -> None:
        self._tell(
            State.READY,
            f"Apache Kafka {self._kafka.version} at {self._kafka.bootstrap_servers}, pid {self.pid}",
        )

    def _tell(self, state: State, detail: str = "") -> None:
        self._on_progress(Progress(NAME, state, detail))

    def _tell_from_thread(self, line: str) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._tell, State.STARTING, line)
