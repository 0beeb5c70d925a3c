"""Which offsets are finished, and which of those are not committed yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aiokafka import TopicPartition

from ekiben_bus.records import Record


def first_offsets(records: Sequence[Record]) -> dict[TopicPartition, int]:
    """Of each partition of a batch, which is of one topic."""
    first: dict[int, int] = {}
    for record in records:
        if record.partition not in first:
            first[record.partition] = record.offset
    return {TopicPartition(records[0].topic, partition): offset for partition, offset in first.items()}


class OffsetTracker:
    """{partition: next offset} of finished batches. Pure bookkeeping: it commits nothing itself."""

    def __init__(self) -> None:
        self._finished: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}

    def finish(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Everything before these offsets is answered and acknowledged."""
        self._finished.update(offsets)

    def uncommitted(self) -> dict[TopicPartition, int]:
        """What a commit has to say now."""
        return {tp: offset for tp, offset in self._finished.items() if self._committed.get(tp) != offset}

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """The broker has stored these offsets."""
        self._committed.update(offsets)

    def forget(self, partitions: Iterable[TopicPartition]) -> None:
        """These partitions belong to somebody else now: never commit for them again."""
        for tp in partitions:
            self._finished.pop(tp, None)
            self._committed.pop(tp, None)
