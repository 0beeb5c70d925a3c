"""One thing that a changed schema does differently, and whom that breaks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue


class Party(StrEnum):
    """Who still has the schema as it was."""

    READERS = "readers"
    """They meet events of a writer that has it as it is."""
    WRITERS = "writers"
    """Their events meet a reader that has it as it is."""


NOBODY: tuple[Party, ...] = ()
READERS = (Party.READERS,)
WRITERS = (Party.WRITERS,)
BOTH = (Party.READERS, Party.WRITERS)


@dataclass(frozen=True, slots=True)
class Change:
    """What was at a place of an event's data, what is, and who breaks; nobody where it is compatible."""

    path: str
    was: str
    now: str
    breaks: tuple[Party, ...] = NOBODY

    @property
    def is_breaking(self) -> bool:
        """Whether somebody who has the old schema would break."""
        return bool(self.breaks)

    def __str__(self) -> str:
        return f"{self.path}: was {self.was}, is {self.now} ({self.verdict})"

    @property
    def verdict(self) -> str:
        """Whom it breaks, in words."""
        return f"breaks {' and '.join(self.breaks)}" if self.breaks else "compatible"

    def as_json(self) -> dict[str, JsonValue]:
        """For machines."""
        return {"path": self.path, "was": self.was, "now": self.now, "breaks": [*self.breaks]}
