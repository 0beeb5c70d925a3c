"""Which group reads which topic: from the contracts, by every lane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ekiben_bus.lanes import Lane, consumer_group, lanes
from ekiben_bus.naming import Naming
from ekiben_contracts.topics import PEOPLE, TOPICS


@dataclass(frozen=True, slots=True)
class Reader:
    """A service that reads a topic by one lane, as a consumer group of its own."""

    service: str
    source: str
    lane: Lane
    group: str


def readers(naming: Naming, topic: str | None = None, group: str | None = None) -> Sequence[Reader]:
    """All of them; only those of a topic, by its own name or that of what it stands beside, or of a group.

    Names count with the prefix and without. A service names all groups that read for it.
    """
    found = [
        Reader(service, naming.topic(source), lane, consumer_group(lane, service, naming))
        for source in TOPICS
        if not source.compacted  # read as a table, without a group
        for service in source.readers
        if service not in PEOPLE
        for lane in lanes(source, service, naming)
    ]
    return [each for each in found if _is_meant(each, topic, group, naming.prefix)]


def _is_meant(reader: Reader, topic: str | None, group: str | None, prefix: str) -> bool:
    topics = {reader.lane.topic, reader.source}
    groups = {reader.group, prefix + reader.service}
    return (topic is None or topic in topics or prefix + topic in topics) and (
        group is None or group in groups or prefix + group in groups
    )
