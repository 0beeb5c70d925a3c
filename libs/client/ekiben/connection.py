"""One client's connection to the cluster: a publisher, the logs it reads, errors in a user's words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ekiben.explaining import explained
from ekiben.reading import Log
from ekiben_bus.cluster import Cluster
from ekiben_bus.publishing import PartitionPublisher, WireRecord


class Connection:
    """Opens what is asked for and closes all of it at the end."""

    def __init__(self, cluster: Cluster, address: str) -> None:
        self._cluster = cluster
        self._address = address
        self._publisher = PartitionPublisher(cluster)
        self._logs: list[Log] = []

    async def open(self) -> None:
        """Connect. Raises what `explained` raises."""
        with explained(self._address, "the cluster"):
            await self._publisher.start()

    async def close(self) -> None:
        """Close every log and the publisher."""
        for log in self._logs:
            await log.close()
        await self._publisher.stop()

    async def publish(self, records: Sequence[WireRecord]) -> None:
        """Publish and wait for every acknowledgement."""
        if records:
            with explained(self._address, records[0].topic):
                await self._publisher.publish(records)

    async def log(self, topic: str, *, from_beginning: bool) -> Log:
        """A log that is read until the connection closes, or it is closed before."""
        with explained(self._address, topic):
            partitions = await self._publisher.partitions(topic)
            log = await Log.open(self._cluster, topic, range(partitions), from_beginning=from_beginning)
        self._logs.append(log)
        return log

    @asynccontextmanager
    async def whole_log(self, topic: str) -> AsyncIterator[Log]:
        """A log from its start, closed at once after use."""
        log = await self.log(topic, from_beginning=True)
        try:
            with explained(self._address, topic):
                yield log
        finally:
            self._logs.remove(log)
            await log.close()
