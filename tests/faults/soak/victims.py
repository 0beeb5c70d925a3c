"""The processes that the nemesis strikes: where they are, how they are struck, and whether they are back."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from typing import Protocol

import psutil
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from e2e.system import System
from e2e.waiting import until
from ekiben_bus.brokers.embedded_cluster import EmbeddedCluster
from faults.soak.plan import Blow

_MARK = "EKIBEN_SERVING_CHILD"
_SIGNALS = {Blow.KILL: signal.SIGKILL, Blow.PAUSE: signal.SIGSTOP, Blow.RESTART: signal.SIGTERM}


class Target(Protocol):
    """One victim, aimed at: `lift` undoes what nobody else would undo."""

    name: str
    needs_lifting: bool

    def strike(self) -> None: ...
    def lift(self) -> None: ...
    def is_back(self) -> bool: ...


class ServiceTarget:
    """A service below `ekiben up`, which starts it again."""

    def __init__(self, system: System, service: str, blow: Blow) -> None:
        self.name = service
        self.needs_lifting = blow is Blow.PAUSE
        self._system = system
        self._blow = blow
        self._pid = system.pid_of(service)

    def strike(self) -> None:
        os.kill(self._pid, _SIGNALS[self._blow])

    def lift(self) -> None:
        os.kill(self._pid, signal.SIGCONT)

    def is_back(self) -> bool:
        running = self._system.running()["services"].get(self.name)
        if running is None or (running["pid"] == self._pid) != self.needs_lifting:
            return False
        return is_ready(running["health_port"])


class ModelTarget:
    """A BentoML child of one model with its worker; the deployer's supervisor starts it again."""

    def __init__(self, system: System, draw: int, blow: Blow) -> None:
        children = model_servers(system)
        mark = sorted(children)[draw % len(children)]
        self.name = f"model server {mark.rpartition('/')[2]}"
        self.needs_lifting = blow is Blow.PAUSE
        self._blow = blow
        self._processes = children[mark]
        self._port = _port_of(self._processes[0])

    def strike(self) -> None:
        # ended politely, the first tells the others
        for process in self._processes[:1] if self._blow is Blow.RESTART else self._processes:
            process.send_signal(_SIGNALS[self._blow])

    def lift(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGCONT)

    def is_back(self) -> bool:
        if not self.needs_lifting and any(map(_lives, self._processes)):
            return False
        return is_ready(self._port)


class BrokerTarget:
    """A broker, struck only while all replicas are in sync, and back once they are again."""

    needs_lifting = True

    def __init__(self, cluster: EmbeddedCluster, draw: int, blow: Blow) -> None:
        self._cluster = cluster
        self._number = sorted(cluster.pids)[draw % len(cluster.pids)]
        self.name = f"broker {self._number}"
        self._pid = cluster.pids[self._number]
        self._blow = blow
        self._admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers, "log_level": 2})
        until(self.is_back, "all replicas in sync")

    def strike(self) -> None:
        match self._blow:
            case Blow.KILL:
                self._cluster.kill(self._number)
            case Blow.PAUSE:
                os.kill(self._pid, signal.SIGSTOP)
            case Blow.RESTART:
                self._cluster.stop(self._number)

    def lift(self) -> None:
        if self._blow is Blow.PAUSE:
            os.kill(self._pid, signal.SIGCONT)
        else:
            self._cluster.start(self._number)

    def is_back(self) -> bool:
        try:
            topics = self._admin.list_topics(timeout=5).topics.values()
        except KafkaException:
            return False
        partitions = [each for topic in topics for each in topic.partitions.values()]
        return all(len(each.isrs) == len(each.replicas) for each in partitions)


def model_servers(system: System) -> dict[str, list[psutil.Process]]:
    """The BentoML processes by the child that they belong to, the one that was started first in front."""
    found: dict[str, list[psutil.Process]] = {}
    for process in sorted(system.processes(), key=lambda process: (process.create_time(), process.pid)):
        with suppress(psutil.NoSuchProcess):
            if mark := process.environ().get(_MARK):
                found.setdefault(mark, []).append(process)
    return found


def is_ready(port: int) -> bool:
    """Whether what listens there says so."""
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _port_of(process: psutil.Process) -> int:
    command = process.cmdline()
    return int(command[command.index("--port") + 1])
