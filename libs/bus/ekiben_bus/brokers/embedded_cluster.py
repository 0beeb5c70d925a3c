"""Several real brokers on this machine, each a process that can be stopped, killed and started again.

    with EmbeddedCluster(Path("cluster")) as cluster:
        cluster.kill(2)
        ...  # acks=all goes on: two of three are in sync
        cluster.start(2)

Ports and data stay, as with a lone `EmbeddedKafka`. With three, as many as may be away is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from ekiben_bus.brokers.jars import Progress, cache_folder, locked, resolve, silent
from ekiben_bus.brokers.node import NodeProcess
from ekiben_bus.brokers.ports import free_ports
from ekiben_bus.brokers.properties import Node


class EmbeddedCluster:
    """Brokers numbered from 1, every one a controller too; topics are replicated over three of them.

    Args:
        data: a folder; each broker has one of its own in it, with its log.
        heap_mb: of each.
    """

    def __init__(
        self,
        data: Path,
        *,
        brokers: int = 3,
        heap_mb: int = 384,
        start_timeout_s: float = 60.0,
        progress: Progress = silent,
    ) -> None:
        ports = free_ports(2 * brokers)
        self._nodes = {
            number: Node(number, ports[2 * number - 2], ports[2 * number - 1])
            for number in range(1, brokers + 1)
        }
        self._processes = {
            number: NodeProcess(data / f"broker-{number}", heap_mb=heap_mb, start_timeout_s=start_timeout_s)
            for number in self._nodes
        }
        self._progress = progress

    @property
    def bootstrap_servers(self) -> str:
        """All of them: a client gets in by any."""
        return ",".join(node.address for node in self._nodes.values())

    @property
    def pids(self) -> Mapping[int, int]:
        """Of the brokers that run, by their numbers."""
        return {number: each.pid for number, each in self._processes.items() if each.pid is not None}

    def start(self, *numbers: int) -> None:
        """Start these, or all; return when each takes requests and sees every other that runs.

        Its replicas may still be behind: they count for `min.insync.replicas` once they caught up.

        Raises:
            JarsError: Kafka's files cannot be had.
            BrokerStartError: one does not answer in time; those that were started here are stopped.
        """
        starting = [number for number in numbers or self._nodes if number not in self.pids]
        jars = resolve(locked(), cache_folder(), self._progress)
        nodes = tuple(self._nodes.values())
        try:
            for number in starting:
                self._processes[number].launch(self._nodes[number], nodes, jars)
            for number in starting:
                self._processes[number].wait_until_it_answers(self._nodes[number], len(self.pids))
        except BaseException:
            self._stop(starting)
            raise

    def stop(self, *numbers: int) -> None:
        """End these, or all, politely: each hands over what it leads."""
        self._stop(list(numbers or self._nodes))

    def kill(self, number: int) -> None:
        """End one at once by SIGKILL, as a crash would."""
        self._processes[number].kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _stop(self, numbers: list[int]) -> None:
        # all at once: the last of them would look in vain for a quorum to sign off from
        with ThreadPoolExecutor(len(self._processes)) as hands:
            for each in [hands.submit(self._processes[number].stop) for number in numbers]:
                each.result()
