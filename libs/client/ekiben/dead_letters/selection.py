"""Which dead letters are meant: a pure filter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ekiben.dead_letters.letter import DeadLetter


@dataclass(frozen=True, slots=True)
class Selection:
    """All conditions have to hold; one that is not set always does. The times are when it died."""

    ids: frozenset[str] = frozenset()
    topic: str | None = None
    group: str | None = None
    reason: str | None = None
    error_class: str | None = None
    key: bytes | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing at all was narrowed down."""
        return self == Selection()

    def has(self, letter: DeadLetter) -> bool:
        """Whether this dead letter is meant. Its topic and group are told by where it is kept."""
        return (
            (not self.ids or letter.id in self.ids)
            and self.reason in (None, letter.reason)
            and self.error_class in (None, letter.error_class)
            and self.key in (None, letter.key)
            and self._has_time(letter)
        )

    def _has_time(self, letter: DeadLetter) -> bool:
        if self.since is None and self.until is None:
            return True
        died_at = letter.died_at
        return (
            died_at is not None
            and (self.since is None or died_at >= self.since)
            and (self.until is None or died_at < self.until)
        )
