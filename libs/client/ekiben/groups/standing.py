"""Where a consumer group stands in one partition, and what that means: pure decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition


@dataclass(frozen=True, slots=True)
class Standing:
    """What the group has committed, and what the log holds: from `start` up to, not with, `end`."""

    group: str
    topic: str
    partition: int
    committed: int | None
    start: int
    end: int

    @property
    def place(self) -> TopicPartition:
        """The partition, as Kafka's client names it."""
        return TopicPartition(self.topic, self.partition)

    @property
    def lag(self) -> int:
        """Records that are there and not finished. A group that never committed begins at the start."""
        return self.end - self.next

    @property
    def next(self) -> int:
        """The first record that it can still read."""
        return self.start if self.committed is None else min(max(self.committed, self.start), self.end)

    @property
    def deleted_unread(self) -> int:
        """Records that retention deleted before the group had finished them: its consumer has stopped."""
        return 0 if self.committed is None else max(0, self.start - self.committed)

    @property
    def lost_behind(self) -> int:
        """Records that the group has finished and the log holds no more: its consumer has stopped."""
        return 0 if self.committed is None else max(0, self.committed - self.end)

    @property
    def has_gap(self) -> bool:
        """Whether its consumer has stopped, and goes on only from another offset."""
        return self.deleted_unread > 0 or self.lost_behind > 0

    @property
    def skipping(self) -> str:
        """What it means to go on from where the log starts."""
        place = f"{self.topic}, partition {self.partition}"
        if self.lost_behind:
            return (
                f"{place}: from offset {self.start}, although {self.committed} was committed and the log "
                f"ends at {self.end}: {self.end - self.start} records are read again"
            )
        return (
            f"{place}: from offset {self.committed} to {self.start}: {self.deleted_unread} records were "
            "deleted unread and are given up"
        )


def with_gaps(standings: Iterable[Standing], partition: int | None = None) -> Sequence[Standing]:
    """Those that have stopped; only of one partition where that is named."""
    return [each for each in standings if each.has_gap and partition in (None, each.partition)]
