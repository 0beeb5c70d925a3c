"""The local target: `bentoml serve` children of the supervisor on this machine."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from structlog.stdlib import get_logger

from ekiben_deployer.supervisor.files import Child, Desired, Home
from ekiben_deployer.supervisor.listening import LOOPBACK
from ekiben_deployer.supervisor.logs import last_error
from ekiben_deployer.supervisor.stopping import find_supervisor
from ekiben_deployer.targets import Instance, Served
from ekiben_deployer.targets.ports import choose
from ekiben_deployer.targets.workers import WorkerDeaths, workers_of

log = get_logger(__name__)

_LOGIN = "KAFKA_"

Command = Callable[[str, int], tuple[Sequence[str], dict[str, str]]]
"""From a Bento tag and a port to the command that serves it, and what it needs in its environment."""


class LocalTarget:
    """Says in files what should run, and sees that a supervisor is there to read them."""

    def __init__(self, home: Path, command: Command, draw: random.Random) -> None:
        self._home = Home(home.absolute())
        self._command = command
        self._draw = draw
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._worker_deaths = WorkerDeaths()

    async def start(self, served: Served) -> Instance:
        """See Target.start. A child keeps its port unless somebody else took it."""
        return await asyncio.to_thread(self._start, served)

    async def stop(self, model: str, version: str) -> None:
        """See Target.stop."""
        await asyncio.to_thread(self._home.desired.remove, _name(model, version))

    async def instances(self) -> Sequence[Instance]:
        """See Target.instances."""
        return await asyncio.to_thread(self._instances)

    def _start(self, served: Served) -> Instance:
        everything = self._home.desired.read()
        name = _name(served.model, served.version)
        child = self._home.children.read().get(name)
        desired = self._describe(served, self._port(everything, name, child))
        if desired != everything.get(name):
            self._home.desired.put(name, desired)
        self._see_that_it_is_supervised()
        return self._look_within(_instance(desired, child), child)

    def _instances(self) -> Sequence[Instance]:
        desired = self._home.desired.read()
        if desired:
            self._see_that_it_is_supervised()
        children = self._home.children.read()
        return [_instance(one, children.get(name)) for name, one in desired.items()]

    def _look_within(self, instance: Instance, child: Child | None) -> Instance:
        """Add the deaths of workers, and what the log says of the last."""
        server = child.process.find() if child and child.process and instance.is_up else None
        if child is None or child.process is None or server is None:
            return instance
        hidden = self._worker_deaths.count(child.name, child.process, workers_of(server))
        if not hidden:
            return instance
        words = last_error(self._home.child_log(child.name)) or instance.last_words
        return replace(instance, deaths=instance.deaths + hidden, last_words=words)

    def _port(self, everything: dict[str, Desired], name: str, child: Child | None) -> int:
        current = everything.get(name)
        if current is None or (child is not None and child.port_taken and child.desired == current):
            return choose({one.port for one in everything.values()}, self._draw)
        return current.port

    def _describe(self, served: Served, port: int) -> Desired:
        command, environment = self._command(served.bento, port)
        labels = {"model": served.model, "version": served.version, "bento": served.bento}
        name = _name(served.model, served.version)
        return Desired(name=name, command=tuple(command), port=port, environment=environment, labels=labels)

    def _see_that_it_is_supervised(self) -> None:
        if self._supervisor is not None and self._supervisor.poll() is None:
            return
        if find_supervisor(self._home) is not None:
            return
        self._home.logs.mkdir(parents=True, exist_ok=True)
        output = self._home.logs / "supervisor.log"
        with output.open("ab") as file:
            self._supervisor = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "ekiben_deployer.supervisor", "--home", str(self._home.root)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # it outlives us, and no Ctrl-C of our terminal reaches it
                env=_without_login(os.environ),
            )
        log.info("supervisor started", pid=self._supervisor.pid, log=str(output))


def _without_login(environ: Mapping[str, str]) -> dict[str, str]:
    """What the model servers find: how we log in to Kafka is not for the code of a model."""
    return {name: value for name, value in environ.items() if not name.upper().startswith(_LOGIN)}


def _name(model: str, version: str) -> str:
    return f"{model}@{quote(version, safe='')}"


def _instance(desired: Desired, child: Child | None) -> Instance:
    served = Served(desired.labels["model"], desired.labels["version"], desired.labels["bento"])
    url = f"http://{LOOPBACK}:{desired.port}"
    if child is None or child.desired != desired:
        return Instance(served, url, is_up=False)
    up = child.process is not None and child.process.find() is not None and child.stopping_since is None
    return Instance(served, url, is_up=up, deaths=child.deaths, last_words=child.last_exit)
