"""One Kafka process on a folder of its own: what a lone broker and a cluster are made of."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ekiben_bus.brokers import jvm
from ekiben_bus.brokers.diagnosis import advice, last_lines
from ekiben_bus.brokers.errors import BrokerStartError
from ekiben_bus.brokers.folder_lock import locked_folder
from ekiben_bus.brokers.leashed import LeashedProcess
from ekiben_bus.brokers.ports import is_free
from ekiben_bus.brokers.private import write_private
from ekiben_bus.brokers.probe import alive_brokers
from ekiben_bus.brokers.properties import CLUSTER_ID, HOST, Node, as_text, server_properties
from ekiben_bus.brokers.secured import first_users, system_properties
from ekiben_bus.brokers.security import MTLS, Security

_POLL_S = 0.05


class NodeProcess:
    """A broker and controller that can be launched, awaited, stopped and killed, again and again.

    Args:
        folder: holds its data and its properties; locked for as long as it runs.
        log: what it says; the run before is kept beside it as `.1`.
        start_timeout_s: how long it may take until it answers.
        overrides: lines of server.properties that are to differ from ours.
        security: open to all on this machine unless given.
    """

    def __init__(
        self,
        folder: Path,
        *,
        log: Path | None = None,
        heap_mb: int = 512,
        start_timeout_s: float = 60.0,
        overrides: Mapping[str, str] | None = None,
        security: Security | None = None,
    ) -> None:
        self._folder = folder.absolute()
        self.log = log or self._folder / "kafka.log"
        self._heap_mb = heap_mb
        self._start_timeout_s = start_timeout_s
        self._overrides = overrides or {}
        self._security = security
        self._process: LeashedProcess | None = None

    @property
    def running(self) -> bool:
        """False before the launch, after the stop, and when it died."""
        return self._process is not None and self._process.running

    @property
    def pid(self) -> int | None:
        """Of the JVM, while it runs."""
        return self._process.pid if self._process is not None and self._process.running else None

    def launch(self, node: Node, nodes: Sequence[Node], jars: Path) -> None:
        """Run it as this node of these, without waiting for its answer; its folder is prepared if new.

        Raises:
            BrokerStartError: its port or folder is taken, or the folder cannot be prepared.
        """
        self.stop()  # of one that died by itself, the pipes are still open
        with locked_folder(self._folder) as lock:
            _check_port(node)
            if self._security is not None:
                self._folder.chmod(0o700)  # it holds what passwords are checked against
            data = self._folder / f"node-{node.id}"
            properties = self._folder / f"node-{node.id}.properties"
            wanted = {**server_properties(node, nodes, data, self._security), **self._overrides}
            write_private(properties, as_text(wanted).encode())
            self._rotate_log()
            # the format writes this file last: where it is, there is nothing left to prepare
            if not (data / "meta.properties").exists():
                users = first_users(self._security) if self._security else []
                self._format(node, jvm.format_command(jars, properties, CLUSTER_ID, users), lock)
            options = system_properties(self._security) if self._security else []
            self._process = self._run(jvm.run_command(jars, properties, self._heap_mb, options), lock)

    def wait_until_it_answers(self, node: Node, brokers: int = 1) -> None:
        """Return once it takes requests and knows so many brokers that do.

        Raises:
            BrokerStartError: it ended, or its time is over.
        """
        deadline = time.monotonic() + self._start_timeout_s
        port, tls = node.port, None
        if self._security is not None:
            port, tls = node.listeners[MTLS.name], _as_the_broker(self._security)
        while alive_brokers(HOST, port, tls=tls) < brokers:
            if not self.running:
                raise self._start_error(node, "it ended")
            if time.monotonic() > deadline:
                raise self._start_error(node, f"no answer within {self._start_timeout_s:g} s")
            time.sleep(_POLL_S)

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

    def _rotate_log(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_name(f"{self.log.name}.1"))

    def _run(self, command: list[str], lock: int) -> LeashedProcess:
        return LeashedProcess(command, log=self.log, environment=jvm.environment(), held=[lock])

    def _format(self, node: Node, command: list[str], lock: int) -> None:
        java, *arguments = command
        # by a file, not on the command line: the users' passwords are among them
        told = self._folder / "format.arguments"
        write_private(told, jvm.as_argument_file(arguments).encode())
        try:
            process = self._run([java, f"@{told}"], lock)
            try:
                code = process.wait(self._start_timeout_s)
            finally:
                process.end()
        finally:
            told.unlink(missing_ok=True)
        if code != 0:
            raise self._start_error(node, "its folder of data could not be prepared")

    def _start_error(self, node: Node, found: str) -> BrokerStartError:
        lines = last_lines(self.log)
        return BrokerStartError(
            f"expected Kafka to answer at {node.address}, found: {found}. Try: {advice(lines)}.\n"
            f"The end of {self.log}:\n" + "\n".join(f"  {line}" for line in lines)
        )


def _as_the_broker(security: Security) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=security.authority)
    context.load_cert_chain(security.keystore)
    return context


def _check_port(node: Node) -> None:
    if not is_free(node.port):
        raise BrokerStartError(
            f"expected port {node.port} on {HOST} to be free, found another program listening on it; "
            "stop that program, or name another port (0 takes a free one)"
        )
