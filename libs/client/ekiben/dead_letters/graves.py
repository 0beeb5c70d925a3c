"""Where dead letters are kept: one topic for each service and each topic that it reads as a stream."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ekiben_bus.naming import Naming
from ekiben_contracts.topics import DEAD_LETTERS, REPLAY, TOPICS, Topic, side_purposes


@dataclass(frozen=True, slots=True)
class Grave:
    """The dead letters of one group from one topic, and the way back into that group alone."""

    source: Topic
    topic: str
    group: str
    dead_letters: str
    replay: str

    @property
    def prefix_of_ids(self) -> str:
        """How the ids of its dead letters start."""
        return f"{self.topic}/{self.group}/"


def graves(naming: Naming, topic: str | None = None, group: str | None = None) -> Sequence[Grave]:
    """All of them; only those of a topic, by its name with or without the prefix, or of a group if named."""
    return [
        Grave(
            source,
            naming.topic(source),
            reader,
            naming.side(source, reader, DEAD_LETTERS),
            naming.side(source, reader, REPLAY),
        )
        for source in TOPICS
        for reader in source.readers
        if DEAD_LETTERS in side_purposes(source, reader)
        and topic in (None, source.name, naming.topic(source))
        and group in (None, reader, naming.group(reader))
    ]


def graves_of(ids: Collection[str], naming: Naming) -> Sequence[Grave]:
    """Where dead letters of these ids are kept; an id that names no place may be anywhere."""
    everywhere = graves(naming)
    by_id = [{grave for grave in everywhere if one.startswith(grave.prefix_of_ids)} for one in ids]
    return (
        [grave for grave in everywhere if any(grave in found for found in by_id)]
        if all(by_id)
        else everywhere
    )
