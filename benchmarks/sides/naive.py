"""Side (d): the naive consumer, in front of the JSON endpoint of the same Bento."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import Message
from pydantic import BaseModel

from benchmarks.asking import Ask
from benchmarks.ground import Ground
from benchmarks.processes import Process, python, running
from benchmarks.sides.side import Answer, Names, two_topics

_MODULE = "benchmarks.sides.naive_consumer"


class _Result(BaseModel):
    request_id: str
    prediction: float


@dataclass(frozen=True, slots=True)
class Naive:
    """One process, one call at a time."""

    url: str
    name: str = "naive consumer"
    up_first: bool = False

    def create(self, ground: Ground, prefix: str) -> Names:
        """Two topics."""
        return two_topics(ground, prefix)

    def requests(self, ground: Ground, start: int, end: int) -> Iterator[Ask]:
        """As Ekiben's."""
        return ground.asking.asks(start, end)

    @contextmanager
    def running(self, ground: Ground, prefix: str) -> Iterator[Sequence[Process]]:
        """One process."""
        command = python(
            _MODULE,
            *("--requests", f"{prefix}requests", "--answers", f"{prefix}answers", "--url", self.url),
        )
        with running(command, ground.log_of(_MODULE), ground.environment) as child:
            yield [child]

    def read(self, message: Message) -> Answer | None:
        """Its result."""
        result = _Result.model_validate_json(message.value() or b"")
        return Answer(result.request_id, result.prediction)
