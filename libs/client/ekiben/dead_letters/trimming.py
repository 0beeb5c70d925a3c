"""What of the topics that keep for ever nobody needs any more: pure decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition

from ekiben.dead_letters.letter import DeadLetter
from ekiben.groups.standing import Standing


@dataclass(frozen=True, slots=True)
class Trim:
    """One partition: what lies before `until` is finished. `stops_at` is what has to be seen to first."""

    place: TopicPartition
    start: int
    until: int
    end: int
    stops_at: str | None = None

    @property
    def removed(self) -> int:
        """Records that go, those included that compaction or a transaction left no trace of."""
        return self.until - self.start

    @property
    def kept(self) -> int:
        """Records that stay behind it."""
        return self.end - self.until


def trim_dead_letters(
    starts: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    first_open: Mapping[TopicPartition, tuple[int, DeadLetter]],
) -> Sequence[Trim]:
    """Of each partition all that lies before the first dead letter which nobody has seen to."""
    found: list[Trim] = []
    for place, end in sorted(ends.items()):
        until, stops_at = end, None
        if place in first_open:
            until, letter = first_open[place]
            stops_at = letter.id
        found.append(Trim(place, starts[place], until, end, stops_at))
    return found


def trim_lanes(standings: Iterable[Standing]) -> Sequence[Trim]:
    """Of each partition of a lane what its group has finished; all of it stays where it has finished none.

    All of it stays behind a gap too: what was committed says nothing about the records that are there now.
    """
    return [
        Trim(each.place, each.start, each.start, each.end, each.skipping)
        if each.has_gap
        else Trim(
            each.place,
            each.start,
            each.next,
            each.end,
            f"{each.topic}/{each.partition}/{each.next}" if each.lag else None,
        )
        for each in standings
    ]
