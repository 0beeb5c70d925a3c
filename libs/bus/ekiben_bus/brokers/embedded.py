"""The rung that always holds: real Apache Kafka in a child process, with nothing installed before.

    with EmbeddedKafka(Path(".ekiben/kafka")) as kafka:
        ...  # kafka.bootstrap_servers

One KRaft node on the loopback. Its data stay and are used again by the next start; it dies with the
process that started it, however that one ends.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from ekiben_bus.brokers import jvm
from ekiben_bus.brokers.diagnosis import advice, last_lines
from ekiben_bus.brokers.errors import BrokerStartError
from ekiben_bus.brokers.folder_lock import locked_folder
from ekiben_bus.brokers.jars import Progress, cache_folder, kafka_version, locked, resolve, silent
from ekiben_bus.brokers.leashed import LeashedProcess
from ekiben_bus.brokers.ports import free_port, is_free
from ekiben_bus.brokers.probe import alive_brokers
from ekiben_bus.brokers.properties import CLUSTER_ID, HOST, Node, as_text, server_properties

_POLL_S = 0.05


class EmbeddedKafka:
    """A broker of one node on a folder of data. Start and stop it as often as you like: the port stays.

    Args:
        data: its folder; made and formatted when it is new.
        port: where it listens on 127.0.0.1; 0 takes a free one.
        log: what it says; the run before is kept beside it as `.1`.
        start_timeout_s: how long it may take until it answers.
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int = 0,
        log: Path | None = None,
        heap_mb: int = 512,
        start_timeout_s: float = 60.0,
        progress: Progress = silent,
    ) -> None:
        self._data = data.absolute()
        self._port = port
        self.log = log or self._data / "kafka.log"
        self._heap_mb = heap_mb
        self._start_timeout_s = start_timeout_s
        self._progress = progress
        self._process: LeashedProcess | None = None

    @property
    def version(self) -> str:
        """Of Apache Kafka."""
        return kafka_version(locked())

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect. Known once it was started, or was given a port."""
        return f"{HOST}:{self._port}"

    @property
    def running(self) -> bool:
        """False before the start, after the stop, and when it died."""
        return self._process is not None and self._process.running

    @property
    def pid(self) -> int | None:
        """Of the JVM, while it runs."""
        return self._process.pid if self._process is not None and self._process.running else None

    def start(self) -> None:
        """Start it and wait until it answers; nothing is left running if it does not.

        Raises:
            JarsError: Kafka's files cannot be had.
            BrokerStartError: it does not answer in time, or its port or folder is taken.
        """
        if self.running:
            return
        self.stop()  # of one that died by itself, the pipes are still open
        jars = resolve(locked(), cache_folder(), self._progress)
        with locked_folder(self._data) as lock:
            try:
                self._start(jars, lock)
            except BaseException:
                self.stop()
                raise

    def stop(self) -> None:
        """End it: politely, then after 10 s by SIGKILL. Does nothing where nothing runs."""
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def kill(self) -> None:
        """End it at once by SIGKILL; the data are as a crash leaves them."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until it ends by itself; True if it did."""
        return self._process is None or self._process.wait(timeout_s) is not None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self, jars: Path, lock: int) -> None:
        node = Node(1, self._take_port(), free_port())
        folder = self._data / f"node-{node.id}"
        properties = self._data / f"node-{node.id}.properties"
        properties.write_text(as_text(server_properties(node, (node,), folder)), "utf-8")
        self._rotate_log()
        # the format writes this file last: where it is, there is nothing left to prepare
        if not (folder / "meta.properties").exists():
            self._format(jvm.format_command(jars, properties, CLUSTER_ID), lock)
        self._process = self._run(jvm.run_command(jars, properties, self._heap_mb), lock)
        self._wait_until_it_answers(self._process)

    def _take_port(self) -> int:
        self._port = self._port or free_port()
        if not is_free(self._port):
            raise BrokerStartError(
                f"expected port {self._port} on {HOST} to be free, found another program listening on it; "
                "stop that program, or name another port (0 takes a free one)"
            )
        return self._port

    def _rotate_log(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_name(f"{self.log.name}.1"))

    def _run(self, command: list[str], lock: int) -> LeashedProcess:
        return LeashedProcess(command, log=self.log, environment=jvm.environment(), held=[lock])

    def _format(self, command: list[str], lock: int) -> None:
        process = self._run(command, lock)
        try:
            code = process.wait(self._start_timeout_s)
        finally:
            process.end()
        if code != 0:
            raise self._start_error("its folder of data could not be prepared")

    def _wait_until_it_answers(self, process: LeashedProcess) -> None:
        deadline = time.monotonic() + self._start_timeout_s
        while not alive_brokers(HOST, self._port):
            if not process.running:
                raise self._start_error("it ended")
            if time.monotonic() > deadline:
                raise self._start_error(f"no answer within {self._start_timeout_s:g} s")
            time.sleep(_POLL_S)

    def _start_error(self, found: str) -> BrokerStartError:
        lines = last_lines(self.log)
        return BrokerStartError(
            f"expected Kafka to answer at {self.bootstrap_servers}, found: {found}. Try: {advice(lines)}.\n"
            f"The end of {self.log}:\n" + "\n".join(f"  {line}" for line in lines)
        )


if __name__ == "__main__":
    from ekiben_bus.brokers.foreground import main

    sys.exit(main())
