"""One dead letter with its history: every attempt of its record, and what was done about each."""

from __future__ import annotations

from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass

from ekiben.dead_letters.actions import Action, history
from ekiben.dead_letters.letter import DeadLetter
from ekiben_contracts.operations import DeadLetterRevealed

_PARTS_OF_AN_ID = 5


@dataclass(frozen=True, slots=True)
class Case:
    """`attempts` are in order, `letter` is one of them; `actions` and `looks` are about any of them."""

    letter: DeadLetter
    attempts: Sequence[DeadLetter]
    actions: Sequence[Action]
    looks: Sequence[DeadLetterRevealed] = ()

    @property
    def is_settled(self) -> bool:
        """Whether nobody has to see to it any more."""
        letter = self.letter
        acted_on = any(
            action.dead_letter == letter.id and letter.is_meant_by(action.acted_at) for action in self.actions
        )
        later = (one.attempt > letter.attempt and one.origin == letter.origin for one in self.attempts)
        return acted_on or any(later)


def is_of_family(id: str, of: str) -> bool:
    """Whether both name the same record, whichever attempt of it."""
    stem, _, _ = of.rpartition("/")
    has_attempt = of.count("/") >= _PARTS_OF_AN_ID - 1
    return id == of or (has_attempt and id.rpartition("/")[0] == stem)


async def gather(
    id: str, letters: AsyncIterable[DeadLetter], actions: AsyncIterable[Action | DeadLetterRevealed]
) -> Case | None:
    """The case of a dead letter; None where there is no such letter."""
    attempts = sorted(
        [letter async for letter in letters if is_of_family(letter.id, id)], key=lambda each: each.attempt
    )
    found = [letter for letter in attempts if letter.id == id]
    if not found:
        return None
    done = [action async for action in actions if is_of_family(action.dead_letter, id)]
    looks = [one for one in done if isinstance(one, DeadLetterRevealed)]
    acted = [one for one in done if not isinstance(one, DeadLetterRevealed)]
    return Case(
        max(found, key=lambda each: each.timestamp),
        attempts,
        history(acted),
        sorted(looks, key=lambda look: look.acted_at),
    )
