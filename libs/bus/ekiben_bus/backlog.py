"""What was read and is not on its way yet: bounded in records, and in bytes whatever a record holds."""

from __future__ import annotations

from collections.abc import Sequence

from ekiben_bus.records import Record

BATCH_BYTES = 4 * 1024 * 1024


class Backlog:
    """Records in the order they were read, to be taken in batches of at most so many, or of 4 MiB."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records: list[Record] = []
        self._bytes = 0
        self.add(records)

    def add(self, records: Sequence[Record]) -> None:
        """Read later than what is there."""
        self.records += records
        self._bytes += sum([len(record.value or b"") for record in records])

    def fills(self, most: int) -> bool:
        """Whether there is a whole batch: no more is worth reading now."""
        return len(self.records) >= most or self._bytes >= BATCH_BYTES

    def take(self, most: int) -> Sequence[Record]:
        """The next batch: one record at the least."""
        size = count = 0
        for record in self.records[:most]:
            count += 1
            size += len(record.value or b"")
            if size >= BATCH_BYTES:
                break
        taken = self.records[:count]
        del self.records[:count]
        self._bytes -= size
        return taken
