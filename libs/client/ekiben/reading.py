"""A topic read as a log: every partition, no consumer group, from its start or from now on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from aiokafka import TopicPartition

from ekiben.errors import BrokerUnreachableError, ForbiddenError
from ekiben_bus.cluster import Cluster, Consumer
from ekiben_bus.forbidden import ATTEMPT
from ekiben_bus.records import Record

_FETCH_MS = 50
"""How long the broker may hold an empty fetch. It answers a connection in order, so that to ask where a
log ends takes as long as the fetch before it."""
_POLL_MS = 1000
_MOST_AT_ONCE = 2000
_PATIENCE = 30
"""Reads in a row, of a second each, that may bring nothing although there is more to read."""


class Log:
    """The records of one topic, in the order of each partition."""

    def __init__(
        self, consumer: Consumer, places: Sequence[TopicPartition], *, patience: int = _PATIENCE
    ) -> None:
        self._consumer = consumer
        self._places = places
        self._patience = patience

    @classmethod
    async def open(
        cls, cluster: Cluster, topic: str, partitions: Iterable[int], *, from_beginning: bool
    ) -> Log:
        """Stand at the start or at the end of every partition: records published from here on are read."""
        places = [TopicPartition(topic, partition) for partition in partitions]
        consumer = cluster.consumer(group_id=None, fetch_max_wait_ms=_FETCH_MS)
        await consumer.start()
        try:
            consumer.assign(places)
            if from_beginning:
                await consumer.seek_to_beginning(*places)
            else:
                for place, end in (await consumer.end_offsets(places)).items():
                    consumer.seek(place, end)
        except BaseException:
            await consumer.stop()
            raise
        return cls(consumer, places)

    async def read(self) -> list[Record]:
        """The next records; none when a second passed without any.

        Raises:
            ForbiddenError: we may not read them.
        """
        batches = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_MOST_AT_ONCE)
        refusal = self._consumer.refusal
        if refusal is not None:
            raise ForbiddenError(
                expected=f"{refusal.principal} to be allowed {refusal.right}",
                found=refusal.found,
                attempt=ATTEMPT,
            )
        return [record for records in batches.values() for record in records]

    async def read_to_end(self) -> AsyncIterator[Record]:
        """Every record up to where the log ends now. Raises what `read_to` raises."""
        async for record in self.read_to(await self.ends()):
            yield record

    async def ends(self) -> Mapping[TopicPartition, int]:
        """Where each partition ends now."""
        return await self._consumer.end_offsets(self._places)

    async def starts(self) -> Mapping[TopicPartition, int]:
        """Where each partition starts now: retention, or somebody, may have taken its beginning away."""
        return await self._consumer.beginning_offsets(self._places)

    async def go_back(self, records: int) -> None:
        """Stand at most so many records before the end of each partition."""
        starts = await self.starts()
        self.go_to({place: max(starts[place], end - records) for place, end in (await self.ends()).items()})

    def go_to(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Read on from these offsets."""
        for place, offset in offsets.items():
            self._consumer.seek(place, offset)

    async def count_to(self, ends: Mapping[TopicPartition, int]) -> int:
        """How many records there are up to these ends, those that compaction removed included."""
        starts = await self.starts()
        return sum(end - starts[place] for place, end in ends.items())

    async def read_to(self, ends: Mapping[TopicPartition, int]) -> AsyncIterator[Record]:
        """Every record up to these ends.

        Raises:
            BrokerUnreachableError: there is more, and it does not come.
        """
        in_vain = 0
        while not await self._is_past(ends):
            found = await self.read()
            in_vain = 0 if found else in_vain + 1
            if in_vain >= self._patience:
                raise self._stalled(in_vain)
            for record in found:
                if record.offset < ends[TopicPartition(record.topic, record.partition)]:
                    yield record

    async def _is_past(self, ends: Mapping[TopicPartition, int]) -> bool:
        # by position, not by the last record's offset: compaction leaves gaps, the last one included
        for place, end in ends.items():
            if end > 0 and await self._consumer.position(place) < end:
                return False
        return True

    def _stalled(self, reads: int) -> BrokerUnreachableError:
        return BrokerUnreachableError(
            expected=f"the records of {self._places[0].topic} up to its end",
            found=f"no more of them in {reads} reads, a second each",
            attempt="`ekiben doctor`: a broker may be away; then again",
        )

    async def close(self) -> None:
        """Stop reading."""
        await self._consumer.stop()
