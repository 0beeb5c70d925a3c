"""The ways by which a record reaches its handler: its topic, and the bus's own topics beside it.

A record that is retried later, parked or replayed is moved to a topic T.G.… with its bytes
unchanged; headers that begin with `ekiben-lane-` say where it came from. Read there, it is given to
the handler as it was on its own topic: same place, same identity, same dead-letter id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ekiben_bus.naming import Naming
from ekiben_bus.publishing import WireRecord
from ekiben_bus.records import Record
from ekiben_contracts.envelope import Headers
from ekiben_contracts.topics import PARKED, REPLAY, RETRIES, Topic, side_purposes

PREFIX = "ekiben-lane-"
"""Headers by this name are the bus's own: on a record that is moved, a user's are dropped."""

MAIN = "main"
_NO_DELAYS = (0.0,) * len(RETRIES)


@dataclass(frozen=True, slots=True)
class Lane:
    """One topic of a subscription. Where its records go next is None where they have to stay."""

    name: str
    topic: str
    delay_s: float = 0.0
    retry_to: str | None = None
    park_to: str | None = None

    @property
    def is_main(self) -> bool:
        return self.name == MAIN


@dataclass(frozen=True, slots=True)
class MovedRecord:
    """A record of one of the bus's own topics, as it was on the topic it came from."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None = field(repr=False)
    value: bytes | None = field(repr=False)
    headers: Headers = field(repr=False)
    attempt: int


def lanes(
    topic: Topic, service: str, naming: Naming, delays_s: Sequence[float] = _NO_DELAYS
) -> tuple[Lane, ...]:
    """Every lane by which a service reads a topic, the main one first.

    `delays_s`, one for each retry, matter to whoever reads them, not to whoever asks which there are.
    """
    purposes = side_purposes(topic, service)
    retries = [naming.side(topic, service, purpose) for purpose in RETRIES if purpose in purposes]
    parked = naming.side(topic, service, PARKED) if PARKED in purposes else None
    first, later = (retries[0] if retries else None), [*retries[1:], None]
    found = [Lane(MAIN, naming.topic(topic), retry_to=first, park_to=parked)]
    found.extend(
        Lane(name, place, delay, retry_to=following, park_to=parked)
        for name, place, delay, following in zip(RETRIES, retries, delays_s, later, strict=False)
    )
    if parked is not None:
        found.append(Lane(PARKED, parked, retry_to=first))
    if REPLAY in purposes:
        found.append(Lane(REPLAY, naming.side(topic, service, REPLAY), retry_to=first, park_to=parked))
    return tuple(found)


def consumer_group(lane: Lane, service: str, naming: Naming) -> str:
    """Who reads a lane: the service's own group its topic, a group beside it each topic beside."""
    return naming.group(service if lane.is_main else f"{service}.{lane.name}")


def attempt_of(record: Record) -> int:
    """Which attempt a record is. A user's own word is not taken: only a moved record can be a later one."""
    return record.attempt if isinstance(record, MovedRecord) else 1


def move(record: Record, to: str, **why: str) -> WireRecord:
    """The record for one of the bus's own topics: bytes and partition as they are, its origin in headers."""
    origin = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "timestamp": str(record.timestamp),
        "attempt": str(attempt_of(record)),
    }
    own = [header for header in record.headers if not header[0].startswith(PREFIX)]
    marks = [(PREFIX + name, value.encode()) for name, value in {**origin, **why}.items()]
    return WireRecord(to, record.partition, record.key, record.value, [*own, *marks])


def replay(died: MovedRecord, to: str) -> WireRecord:
    """The record for T.G.replay: what died, as its next attempt, at the place where it was first read."""
    return move(replace(died, attempt=died.attempt + 1), to)


def restore(record: Record) -> Record:
    """The record as it was before it was moved. One without (good) marks came from nowhere else."""
    marks = {
        name.removeprefix(PREFIX): (value or b"").decode(errors="replace")
        for name, value in record.headers
        if name.startswith(PREFIX)
    }
    try:
        return MovedRecord(
            marks["topic"],
            int(marks["partition"]),
            int(marks["offset"]),
            int(marks["timestamp"]),
            record.key,
            record.value,
            [header for header in record.headers if not header[0].startswith(PREFIX)],
            max(1, int(marks["attempt"])),
        )
    except (KeyError, ValueError):
        return record
