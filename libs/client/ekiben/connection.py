"""One client's connection to the cluster: a publisher, the logs it reads, errors in a user's words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import TopicPartition

from ekiben.explaining import explained
from ekiben.groups.standing import Standing
from ekiben.reading import Log
from ekiben_bus.cluster import Cluster, Consumer
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

    async def standings(self, group: str, topics: Sequence[str]) -> Sequence[Standing]:
        """Where a group stands in every partition of these topics."""
        async with self._member(group, topics[0]) as consumer:
            places = [
                TopicPartition(topic, partition)
                for topic in topics
                for partition in range(await self._publisher.partitions(topic))
            ]
            starts = await consumer.beginning_offsets(places)
            ends = await consumer.end_offsets(places)
            return [
                Standing(group, *place, await consumer.committed(place), starts[place], ends[place])
                for place in places
            ]

    async def commit(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit for a group from outside.

        Raises:
            GroupInUseError: it has members; the broker takes the word of those alone.
        """
        async with self._member(group, group) as consumer:
            consumer.assign(list(offsets))
            await consumer.commit(offsets)

    @asynccontextmanager
    async def _member(self, group: str, subject: str) -> AsyncIterator[Consumer]:
        """A consumer that asks and speaks for a group without joining it."""
        with explained(self._address, subject):
            consumer = self._cluster.consumer(group_id=group)
            await consumer.start()
            try:
                yield consumer
            finally:
                await consumer.stop()

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
