"""What the ledger knows of a run: what was asked and is to be answered, and what was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from aiokafka import TopicPartition


class Claim(NamedTuple):
    """One read of one record: where the record was first, and which attempt it is."""

    topic: str
    partition: int
    offset: int
    attempt: int = 1


class Place(NamedTuple):
    """Where a record is."""

    topic: str
    partition: int
    offset: int

    @property
    def log(self) -> TopicPartition:
        return TopicPartition(self.topic, self.partition)


class Written(NamedTuple):
    """An event that was asked for: its topic and its ce_id."""

    topic: str
    id: str


@dataclass(frozen=True)
class Due:
    """What has to come of a claim: these events, and a dead letter by this id, if by any."""

    claim: Claim
    model: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    events: frozenset[Written]
    letter: str | None = None


@dataclass(frozen=True)
class Event:
    """A record on an output topic."""

    place: Place
    id: str
    key: bytes | None


@dataclass(frozen=True)
class Letter:
    """A record on a dead-letter topic; `headers` are those of the original."""

    place: Place
    id: str
    claim: Claim
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    reason: str


@dataclass(frozen=True)
class Copy:
    """A record on one of the lanes."""

    place: Place
    lane: str
    claim: Claim
    value: bytes | None


@dataclass(frozen=True)
class Violation:
    """A promise that was broken, and how."""

    invariant: str
    detail: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.detail}"
