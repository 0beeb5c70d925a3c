"""What differs between the events as they are and what was published of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ekiben_contracts.checked_in import CheckedIn
from ekiben_contracts.checks.frozen import frozen_versions
from ekiben_contracts.checks.subject import Subject
from ekiben_contracts.documents import parse, schema
from ekiben_contracts.evolution.changes import BOTH, Change
from ekiben_contracts.evolution.comparing import changes


class Standing(StrEnum):
    """What a type was compared with."""

    FROZEN = "frozen"
    """It is promised: no change is allowed."""
    CHECKED_IN = "checked in"
    """Its schema file: it may change until a release."""
    NEW = "new"
    """Nothing: there is no schema of it yet."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One type, and how it differs from what it is compared with."""

    type: str
    standing: Standing
    changes: tuple[Change, ...] = ()

    @property
    def is_breaking(self) -> bool:
        """Whether somebody who has what was published would break."""
        return any(change.is_breaking for change in self.changes)


def compare(subject: Subject, checked_in: CheckedIn) -> Iterator[Compared]:
    """Each type beside what was frozen of it; what is not frozen beside its checked-in schema.

    Raises:
        ValueError: a checked-in document is no JSON.
    """
    frozen = frozen_versions(checked_in.frozen)
    for event_type, event in subject.by_type.items():
        now = schema(event)
        standing = checked_in.schemas.get(event_type)
        if event_type in frozen:
            yield Compared(event_type, Standing.FROZEN, changes(frozen[event_type], now))
        elif standing is not None:
            yield Compared(event_type, Standing.CHECKED_IN, changes(parse(standing), now))
        else:
            yield Compared(event_type, Standing.NEW)
    for event_type in frozen.keys() - subject.by_type.keys():
        gone = Change("the whole", "an event", "gone", BOTH)
        yield Compared(event_type, Standing.FROZEN, (gone,))
