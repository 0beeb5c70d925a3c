"""The system that the demo runs on: the one that is there, or one that is started and stopped for it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from ekiben.cli.target import find_target
from ekiben.client import Ekiben
from ekiben.demo.place import Place
from ekiben.demo.showing import Show, Stage, Unseen
from ekiben.local import running
from ekiben.local.progress import Progress, State
from ekiben.local.system import LocalSystem, Options
from ekiben_bus.settings import KafkaSettings
from ekiben_contracts.topics import OPERATORS, TRAINER, USERS


class Clients(NamedTuple):
    """Those who ask, those who operate, and who trains."""

    users: Ekiben
    operators: Ekiben
    trainer: Ekiben


class Host:
    """Started by `ekiben up`'s own code, unless it runs already: then it is left as it is."""

    def __init__(
        self,
        place: Place,
        bootstrap_servers: str | None,
        topic_prefix: str | None,
        show: Show,
        *,
        secure: bool = False,
    ) -> None:
        self.home = place.home
        self._bootstrap_servers = bootstrap_servers
        self._topic_prefix = topic_prefix
        self._show = show
        self._secure = secure
        self._stage: Stage = Unseen()
        self._system = None if place.is_running else self._make()

    @property
    def owner(self) -> int:
        """The process below which the system runs."""
        found = running.read(self.home)
        return os.getpid() if found is None else found.pid

    def hurry(self) -> None:
        """Do not wait for anything to drain any more."""
        if self._system is not None:
            self._system.hurry()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start it where need be; what was started is stopped at the end."""
        if self._system is None:
            self._show.note(f"using the system that runs in {self.home.path}")
            yield
            return
        with self._show.stage("Starting Kafka and the services") as self._stage:
            await self._system.__aenter__()
        try:
            yield
        finally:
            with self._show.stage("Stopping all of it") as self._stage:
                await self._system.__aexit__(None, None, None)

    @asynccontextmanager
    async def clients(self) -> AsyncIterator[Clients]:
        """Three clients of it: where everybody has a login, each by its own."""
        home: Path = self.home.path
        async with AsyncExitStack() as stack:
            targets = [
                find_target(self._bootstrap_servers, self._topic_prefix, home, role=role)
                for role in (USERS, OPERATORS, TRAINER)
            ]
            yield Clients(*[await stack.enter_async_context(target.client()) for target in targets])

    def _make(self) -> LocalSystem:
        named = self._bootstrap_servers
        kafka = KafkaSettings(bootstrap_servers=named) if named else KafkaSettings()
        # a free port rather than the usual one: nobody needs to know it, and nobody else can take it
        options = Options(kafka=kafka, port=0, topic_prefix=self._topic_prefix or "", secure=self._secure)
        return LocalSystem(self.home, options, on_progress=self._tell)

    def _tell(self, progress: Progress) -> None:
        what = f"{progress.name} {progress.state}"
        if progress.state is State.DIED:
            self._show.note(f"{what}: {progress.detail}")
        else:
            self._stage.tell(what)
