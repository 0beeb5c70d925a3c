"""Dead letters counted: how many, where, why, since when, and how many of them keep coming back."""

from __future__ import annotations

from collections.abc import AsyncIterable
from dataclasses import asdict, dataclass

from ekiben.dead_letters.letter import DeadLetter


@dataclass(slots=True)
class Obituary:
    """Those of one topic and group that died for one reason. `oldest` is when the first of them failed."""

    topic: str
    group: str
    reason: str
    error_class: str
    count: int
    returning: int
    oldest: str
    latest_id: str

    def as_document(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


async def summarize(letters: AsyncIterable[DeadLetter]) -> list[Obituary]:
    """Count by topic, group, reason and error class; the most frequent first."""
    found: dict[tuple[str, str, str, str], Obituary] = {}
    async for letter in letters:
        place = (letter.topic, letter.group, letter.reason, letter.error_class)
        known = found.get(place)
        if known is None:
            known = found[place] = Obituary(*place, 0, 0, letter.failed_at, letter.id)
        known.count += 1
        known.returning += letter.returned > 0
        known.oldest = min(known.oldest, letter.failed_at)  # ISO 8601 in UTC: text sorts as time does
        known.latest_id = letter.id
    return sorted(found.values(), key=lambda each: (-each.count, each.topic, each.group, each.reason))
