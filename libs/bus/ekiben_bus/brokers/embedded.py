"""The rung that always holds: real Apache Kafka in a child process, with nothing installed before.

    with EmbeddedKafka(Path(".ekiben/kafka")) as kafka:
        ...  # kafka.bootstrap_servers

One KRaft node on the loopback. Its data stay and are used again by the next start; it dies with the
process that started it, however that one ends.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from ekiben_bus.brokers.jars import Progress, cache_folder, kafka_version, locked, resolve, silent
from ekiben_bus.brokers.node import NodeProcess
from ekiben_bus.brokers.ports import free_port, free_ports
from ekiben_bus.brokers.properties import HOST, Node
from ekiben_bus.brokers.security import Listener, Security


class EmbeddedKafka:
    """A broker of one node on a folder of data. Start and stop it as often as you like: the port stays.

    Args:
        data: its folder; made and formatted when it is new.
        port: where it listens on 127.0.0.1; 0 takes a free one.
        log: what it says; the run before is kept beside it as `.1`.
        start_timeout_s: how long it may take until it answers.
        overrides: lines of its server.properties that are to differ from ours.
        security: who may do what, over TLS. Without it, it is open to all on this machine.
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int = 0,
        log: Path | None = None,
        heap_mb: int = 512,
        start_timeout_s: float = 60.0,
        overrides: Mapping[str, str] | None = None,
        security: Security | None = None,
        progress: Progress = silent,
    ) -> None:
        self._process = NodeProcess(
            data,
            log=log,
            heap_mb=heap_mb,
            start_timeout_s=start_timeout_s,
            overrides=overrides,
            security=security,
        )
        self._port = port
        self._listeners = tuple(each.name for each in security.listeners) if security else ()
        self._ports: dict[str, int] = {}
        self._progress = progress

    @property
    def version(self) -> str:
        """Of Apache Kafka."""
        return kafka_version(locked())

    @property
    def log(self) -> Path:
        """What it says."""
        return self._process.log

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect. Known once it was started, or was given a port."""
        return f"{HOST}:{self._port}"

    def address_of(self, listener: Listener) -> str:
        """Where clients of one listener of a secured broker connect. Known once it was started."""
        return f"{HOST}:{self._ports[listener.name]}"

    @property
    def running(self) -> bool:
        """False before the start, after the stop, and when it died."""
        return self._process.running

    @property
    def pid(self) -> int | None:
        """Of the JVM, while it runs."""
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers; nothing is left running if it does not.

        Raises:
            JarsError: Kafka's files cannot be had.
            BrokerStartError: it does not answer in time, or its port or folder is taken.
        """
        if self.running:
            return
        jars = resolve(locked(), cache_folder(), self._progress)
        self._port = self._port or free_port()
        self._ports = self._ports or self._take_ports()
        node = Node(1, self._port, free_port(), self._ports)
        try:
            self._process.launch(node, (node,), jars)
            self._process.wait_until_it_answers(node)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it: politely, then after 10 s by SIGKILL. Does nothing where nothing runs."""
        self._process.stop()

    def kill(self) -> None:
        """End it at once by SIGKILL; the data are as a crash leaves them."""
        self._process.kill()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it ends by itself; True if it did."""
        return self._process.wait(timeout_s)

    def _take_ports(self) -> dict[str, int]:
        others = free_ports(len(self._listeners))[1:]
        return dict(zip(self._listeners, [self._port, *others], strict=False))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


if __name__ == "__main__":
    from ekiben_bus.brokers.foreground import main

    sys.exit(main())
