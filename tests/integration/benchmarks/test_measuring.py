"""The harness sees what a side leaves out, answers wrongly, or answers twice. On real Kafka."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from confluent_kafka import Message, Producer

from benchmarks.asking import Ask, Asking
from benchmarks.ground import Ground
from benchmarks.kafka import Topics, client_settings
from benchmarks.measuring import measure
from benchmarks.processes import Ended, Process, python, running
from benchmarks.sides.side import Answer, Names, two_topics
from ekiben_bus.settings import KafkaSettings

pytestmark = pytest.mark.kafka

RIGHT = np.array([0.25, 0.75])
EVENTS = 100


@dataclass(frozen=True)
class Parrot:
    """Answers from a list, whatever it is asked: (request number, prediction)."""

    answers: Sequence[tuple[int, float]]
    dies: bool = False
    name: str = "parrot"
    up_first: bool = False

    def create(self, ground: Ground, prefix: str) -> Names:
        return two_topics(ground, prefix)

    def requests(self, ground: Ground, start: int, end: int) -> Iterator[Ask]:
        return ground.asking.asks(start, end)

    @contextmanager
    def running(self, ground: Ground, prefix: str) -> Iterator[Sequence[Process]]:
        producer = Producer(client_settings(ground.kafka))
        for number, prediction in self.answers:
            producer.produce(f"{prefix}answers", json.dumps([f"r{number}", prediction]))
        producer.flush()
        if not self.dies:
            yield []
            return
        with running(python("antigravity.nothing"), ground.folder / "log") as child:
            yield [child]

    def read(self, message: Message) -> Answer | None:
        return Answer(*json.loads(message.value() or b""))


@pytest.fixture
def ground(kafka_settings: KafkaSettings, tmp_path: Path) -> Ground:
    return Ground(
        kafka_settings, Asking("m", [{"x": 1.0}, {"x": 2.0}], expected=RIGHT), tmp_path, partitions=2
    )


def right(number: int) -> tuple[int, float]:
    return number, RIGHT[number % 2]


def test_a_side_that_answers_everything_rightly_misses_nothing(ground: Ground) -> None:
    found = measure(Parrot([right(number) for number in range(EVENTS)]), ground, EVENTS, stalled_s=2)

    assert (found.missing, found.wrong, found.twice) == (0, 0, 0)


def test_what_is_left_out_wrong_or_told_twice_is_counted(ground: Ground) -> None:
    answers = [right(number) for number in range(EVENTS - 10)]
    answers += [(EVENTS - 1, 0.5), right(0), right(0)]

    found = measure(Parrot(answers), ground, EVENTS, stalled_s=2)

    assert (found.missing, found.wrong, found.twice) == (10, 1, 2)


def test_a_side_that_dies_is_an_error_with_the_end_of_its_log(ground: Ground) -> None:
    with pytest.raises(Ended, match="antigravity"):
        measure(Parrot([right(0)], dies=True), ground, EVENTS, stalled_s=60)


def test_its_topics_are_gone_afterwards(ground: Ground, kafka_settings: KafkaSettings) -> None:
    measure(Parrot([right(number) for number in range(EVENTS)]), ground, EVENTS, stalled_s=2)

    there = Topics(kafka_settings).names()
    assert [name for name in there if name.startswith("bench-")] == []
