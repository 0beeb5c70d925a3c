"""How fast dead letters go back: a bound, so that what is alive is not pushed aside."""

from __future__ import annotations

from dataclasses import dataclass

MOST_RECORDS = 500
_MOST_BYTES = 4 * 1024 * 1024
_TURNS_A_SECOND = 4


@dataclass(frozen=True, slots=True)
class Pace:
    """Records a second at the most; None is as fast as the broker acknowledges."""

    rate: float | None = None

    @property
    def chunk(self) -> int:
        """How many records are published and acknowledged together."""
        if self.rate is None:
            return MOST_RECORDS
        return max(1, min(MOST_RECORDS, int(self.rate / _TURNS_A_SECOND)))

    def is_full(self, records: int, size: int) -> bool:
        """Whether so many records, of so many bytes, are enough for once."""
        return records >= self.chunk or size >= _MOST_BYTES

    def wait_s(self, sent: int, elapsed_s: float) -> float:
        """How long to wait after so many were sent in that time. What was slow before earns no burst."""
        return 0.0 if self.rate is None else max(0.0, sent / self.rate - elapsed_s)
