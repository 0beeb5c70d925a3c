"""The port of a side: one way from requests to answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from confluent_kafka import Message

from benchmarks.asking import Ask
from benchmarks.ground import Ground
from benchmarks.kafka import Topics
from benchmarks.processes import Process


class Answer(NamedTuple):
    """What a record of the answers says."""

    request_id: str
    prediction: float


class Names(NamedTuple):
    """The topics of a run; the first record of `first` starts the clock.

    That is where the first stage writes; of what must be up before the requests come, where they come.
    """

    requests: str
    first: str
    answers: str


def two_topics(ground: Ground, prefix: str) -> Names:
    """The topics of a side of one stage: requests, and answers to them."""
    requests, answers = f"{prefix}requests", f"{prefix}answers"
    Topics(ground.kafka).create([requests, answers], ground.partitions)
    return Names(requests, answers, answers)


class Side(Protocol):
    """What is measured. Every run has a prefix for its topics and groups that no other has.

    `up_first` says that it must run before anything is produced, else it loses that. `running` starts
    its processes and yields them. `read` gives None for what is no prediction.
    """

    @property
    def name(self) -> str: ...
    @property
    def up_first(self) -> bool: ...
    def create(self, ground: Ground, prefix: str) -> Names: ...
    def requests(self, ground: Ground, start: int, end: int) -> Iterator[Ask]: ...
    def running(self, ground: Ground, prefix: str) -> AbstractContextManager[Sequence[Process]]: ...
    def read(self, message: Message) -> Answer | None: ...
