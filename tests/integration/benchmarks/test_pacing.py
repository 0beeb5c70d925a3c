"""A paced run counts what never comes, and tells how long the rest took. On real Kafka."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from confluent_kafka import Message, Producer

from benchmarks.asking import Ask, Asking
from benchmarks.ground import Ground
from benchmarks.kafka import client_settings, reading
from benchmarks.measuring import is_pilot
from benchmarks.pacing import WARM_UP_S, highest_pace, paced
from benchmarks.processes import Process
from benchmarks.sides.side import Answer, Names, two_topics
from ekiben_bus.settings import KafkaSettings

pytestmark = pytest.mark.kafka

RIGHT = np.array([0.25, 0.75])
RATE = 50.0


@dataclass(frozen=True)
class Echo:
    """Answers rightly, and twice, after some time; some requests it leaves out."""

    wait_s: float = 0.0
    leaves_out: Callable[[int], bool] = lambda _: False
    name: str = "echo"
    up_first: bool = False

    def create(self, ground: Ground, prefix: str) -> Names:
        return two_topics(ground, prefix)

    def requests(self, ground: Ground, start: int, end: int) -> Iterator[Ask]:
        return ground.asking.asks(start, end)

    @contextmanager
    def running(self, ground: Ground, prefix: str) -> Iterator[Sequence[Process]]:
        stopping = threading.Event()
        thread = threading.Thread(target=self._answer, args=(ground, prefix, stopping))
        thread.start()
        try:
            yield []
        finally:
            stopping.set()
            thread.join()

    def read(self, message: Message) -> Answer | None:
        return Answer(*json.loads(message.value() or b""))

    def _answer(self, ground: Ground, prefix: str, stopping: threading.Event) -> None:
        producer = Producer({**client_settings(ground.kafka), "linger.ms": 0})
        with reading(ground.kafka, f"{prefix}requests") as requests:
            while not stopping.wait(0.001):
                come = requests.come()
                if come:
                    time.sleep(self.wait_s)
                for message in come:
                    request_id = json.loads(message.value() or b"")["request_id"]
                    number = int(request_id[1:])
                    if is_pilot(request_id) or not self.leaves_out(number):
                        for _ in range(2):
                            producer.produce(f"{prefix}answers", json.dumps([request_id, RIGHT[number % 2]]))
                producer.poll(0)
        producer.flush()


@pytest.fixture
def ground(kafka_settings: KafkaSettings, tmp_path: Path) -> Ground:
    return Ground(
        kafka_settings, Asking("m", [{"x": 1.0}, {"x": 2.0}], expected=RIGHT), tmp_path, partitions=2
    )


def test_latencies_are_at_least_what_the_side_took(ground: Ground) -> None:
    found = paced(Echo(wait_s=0.05), ground, RATE, 1.0)

    assert (found.asked, found.missing) == (RATE * (WARM_UP_S + 1), 0)
    assert 50 <= found.p50_ms <= found.p95_ms <= found.p99_ms


def test_what_never_comes_is_missing_once(ground: Ground) -> None:
    found = paced(Echo(leaves_out=lambda number: number % 10 == 0), ground, RATE, 1.0, stragglers_s=2)

    assert found.missing == found.asked / 10


def test_the_highest_pace_is_the_last_before_something_is_missing(ground: Ground) -> None:
    side = Echo(leaves_out=lambda number: number == 170)  # asked only at the second pace

    sustained, tried = highest_pace(side, ground, [40.0, 45.0, 50.0], 1.0, stragglers_s=1)

    assert (sustained, [one.missing for one in tried]) == (40.0, [0, 1])
