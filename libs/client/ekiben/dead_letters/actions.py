"""What was done about dead letters: written once for each, and read back as their history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from ekiben.dead_letters.graves import Grave
from ekiben.dead_letters.letter import DeadLetter
from ekiben.dead_letters.replaying import Treatment
from ekiben.errors import InvalidInputError
from ekiben_bus.records import Record
from ekiben_bus.verdicts import Outgoing
from ekiben_contracts.cloudevents import decode
from ekiben_contracts.errors import ContractError
from ekiben_contracts.event import Event
from ekiben_contracts.identity import action_id, reveal_id
from ekiben_contracts.operations import DeadLetterDiscarded, DeadLetterReplayed, DeadLetterRevealed
from ekiben_contracts.topics import DEAD_LETTER_ACTIONS

Action = DeadLetterReplayed | DeadLetterDiscarded
"""What somebody did about a dead letter."""
Told = TypeVar("Told", DeadLetterDiscarded, DeadLetterRevealed)

LONGEST_TEXT = 10_000
"""Characters of a reason or a name."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and why.

    Raises:
        InvalidInputError: one of the texts is too long for an action to hold.
    """

    by: str
    why: str | None = None

    def __post_init__(self) -> None:
        found = max(len(self.by), len(self.why or ""))
        if found > LONGEST_TEXT:
            raise InvalidInputError(
                expected=f"a name and a reason of at most {LONGEST_TEXT} characters",
                found=str(found),
                attempt="a shorter text, and where to read the rest",
            )


def replayed(letter: DeadLetter, grave: Grave, actor: Actor, treatment: Treatment, now: datetime) -> Outgoing:
    """The event that a letter was replayed; doing it again has the same id."""
    event = DeadLetterReplayed(
        attempt=letter.attempt,
        dead_letter=letter.id,
        topic=grave.topic,
        group=grave.group,
        by=actor.by,
        why=actor.why,
        patch=treatment.patch.operations if treatment.patch is not None else None,
        kept_deadline=treatment.keep_deadline,
        acted_at=now,
    )
    return _outgoing(event, action_id(letter.id, "replayed"))


def discarded(letter: DeadLetter, grave: Grave, actor: Actor, now: datetime) -> Outgoing:
    """The event that a letter was discarded."""
    event = _told(DeadLetterDiscarded, letter, grave, actor, now)
    return _outgoing(event, action_id(letter.id, "discarded"))


def revealed(letter: DeadLetter, grave: Grave, actor: Actor, now: datetime) -> DeadLetterRevealed:
    """The event that somebody asked to see what of a letter is sensitive."""
    return _told(DeadLetterRevealed, letter, grave, actor, now)


def on_record(look: DeadLetterRevealed) -> Outgoing:
    """A look on its way: each has an id of its own."""
    return _outgoing(look, reveal_id(look.dead_letter, look.by, look.acted_at))


def read_action(record: Record) -> Action | DeadLetterRevealed | None:
    """The action, or the look, in a record; None where there is none that can be read."""
    try:
        data = decode(record.value, record.headers, DEAD_LETTER_ACTIONS).data
    except ContractError:
        return None
    return data if isinstance(data, DeadLetterReplayed | DeadLetterDiscarded | DeadLetterRevealed) else None


def history(records: Sequence[Action]) -> Sequence[Action]:
    """Each action once, the first of those that say the same; in the order of time."""
    first: dict[tuple[str, str], Action] = {}
    for action in records:
        first.setdefault((action.dead_letter, action.type), action)
    return sorted(first.values(), key=lambda action: action.acted_at)


def _outgoing(event: Event, id: str) -> Outgoing:
    return Outgoing(DEAD_LETTER_ACTIONS, event, id)


def _told(kind: type[Told], letter: DeadLetter, grave: Grave, actor: Actor, now: datetime) -> Told:
    return kind(
        attempt=letter.attempt,
        dead_letter=letter.id,
        topic=grave.topic,
        group=grave.group,
        by=actor.by,
        why=actor.why or "",
        acted_at=now,
    )
