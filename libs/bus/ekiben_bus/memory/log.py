"""The log of one partition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from aiokafka.structs import OffsetAndTimestamp

from ekiben_contracts.envelope import Headers


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as a consumer gets it; `timestamp` is in milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def size(self) -> int:
        """Bytes of key, value and headers."""
        return (
            len(self.key or b"")
            + len(self.value or b"")
            + sum(len(n) + len(v or b"") for n, v in self.headers)
        )


class NewRecord(NamedTuple):
    """A record as its producer stamped it: CreateTime, in milliseconds."""

    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(slots=True)
class PartitionLog:
    """Records by offset. `start` is the first that retention has left."""

    records: list[StoredRecord] = field(default_factory=list[StoredRecord])
    start: int = 0

    @property
    def end(self) -> int:
        """The offset of the next record."""
        return self.start + len(self.records)

    def holds(self, offset: int) -> bool:
        """Whether a reader may go on from here; the end is such a place, too."""
        return self.start <= offset <= self.end

    def read(self, offset: int, most: int) -> Sequence[StoredRecord]:
        """Up to `most` records from an offset on."""
        first = offset - self.start
        return self.records[first : first + most]

    def first_since(self, at_ms: int) -> OffsetAndTimestamp | None:
        """The first record that was stamped then or later; None where there is none."""
        young = (record for record in self.records if record.timestamp >= at_ms)
        return next((OffsetAndTimestamp(record.offset, record.timestamp) for record in young), None)

    def delete_before(self, offset: int) -> None:
        """What retention does."""
        del self.records[: max(0, offset - self.start)]
        self.start = max(self.start, offset)
