"""One side over one backlog: how fast, and whether everything was answered, once and rightly."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from benchmarks.ground import Ground
from benchmarks.kafka import Reader, Topics, Writer, reading, wait_for
from benchmarks.sides.side import Names, Side

STARTED_WITHIN_S = 120.0
STALLED_S = 15.0
_PILOT = 1_000_000_000
_PILOT_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of one side.

    `cpu_us` is the CPU time of the side's own processes for each event, without the model's and the
    broker's, None where it was over too soon to tell; `load` the machine's average of a minute, at the start.
    """

    side: str
    events: int
    events_per_s: float
    missing: int
    wrong: int
    twice: int
    cpu_us: float | None
    load: float


def measure(side: Side, ground: Ground, events: int, *, stalled_s: float = STALLED_S) -> Measured:
    """Let it answer so many events that are already there, and count.

    The clock runs from the first answer of its first stage to the last answer of all, by the broker's
    stamps: starting up is nobody's throughput. What has to be up first gets them in a burst, and its
    clock starts with that. What has not come when nothing came for `stalled_s` is missing.
    """
    load = psutil.getloadavg()[0]
    with topics_of(side, ground) as (prefix, names):
        cpu_us = _carry_through(side, ground, prefix, names, events, stalled_s)
        return _count(side, ground, names, events, cpu_us, load)


@contextmanager
def topics_of(side: Side, ground: Ground, *, stamped: bool = True) -> Iterator[tuple[str, Names]]:
    """Topics that no other run has, with their prefix; `stamped` by the broker's clock; then deleted."""
    prefix = f"bench-{secrets.token_hex(4)}."
    topics = Topics(ground.kafka)
    try:
        names = side.create(ground, prefix)
        for name in {names.first, names.answers} if stamped else ():
            topics.stamp(name)
        yield prefix, names
    finally:
        topics.delete(prefix)


def pilot(side: Side, ground: Ground, writer: Writer, answers: Reader) -> None:
    """Send a request now and then until one is answered: from then on the side listens.

    Raises:
        TimeoutError: it never did.
    """
    end, number = time.monotonic() + STARTED_WITHIN_S, _PILOT
    while not len(answers):
        if time.monotonic() > end:
            raise TimeoutError(f"expected {side.name} to answer within {STARTED_WITHIN_S:g} s, found nothing")
        writer.send(side.requests(ground, number, number + 1))
        writer.finish()
        number += 1
        time.sleep(_PILOT_EVERY_S)


def is_pilot(request_id: str) -> bool:
    """Whether it was sent only to see if somebody listens."""
    return request_id.startswith("r") and int(request_id[1:]) >= _PILOT


def _carry_through(
    side: Side, ground: Ground, prefix: str, names: Names, events: int, stalled_s: float
) -> float | None:
    writer = Writer(ground.kafka, names.requests)
    backlog = side.requests(ground, 0, events)
    with reading(ground.kafka, names.answers) as answers:
        if not side.up_first:
            writer.send(backlog)
            writer.finish()
        with side.running(ground, prefix) as processes:
            if side.up_first:
                pilot(side, ground, writer, answers)
                writer.send(backlog)
                writer.finish()
            wait_for(answers, 1, STARTED_WITHIN_S, processes)
            cpu_s, answered = sum(process.cpu_s for process in processes), len(answers)
            wait_for(answers, events, stalled_s, processes)
            used_s, more = sum(process.cpu_s for process in processes) - cpu_s, len(answers) - answered
            return used_s * 1e6 / more if more else None


def _count(
    side: Side, ground: Ground, names: Names, events: int, cpu_us: float | None, load: float
) -> Measured:
    right: dict[str, int] = {}
    wrong = twice = 0
    with reading(ground.kafka, names.answers) as answers:
        for message in answers.all():
            answer = side.read(message)
            if answer is None or not ground.asking.is_right(*answer):
                wrong += 1
            elif answer.request_id in right:
                twice += 1
            elif not is_pilot(answer.request_id):
                right[answer.request_id] = message.timestamp()[1]
    stamps = list(right.values()) if names.first == names.answers else _stamps(ground, names.first)
    counted = sorted(stamps)[-events:]  # without pilots, which came first
    start, end = min(counted, default=0), max(right.values(), default=0)
    timed = len(right) if side.up_first else len(right) - counted.count(start)
    return Measured(
        side=side.name,
        events=events,
        events_per_s=timed * 1000 / (end - start) if end > start and timed > 0 else 0.0,
        missing=events - len(right),
        wrong=wrong,
        twice=twice,
        cpu_us=cpu_us,
        load=load,
    )


def _stamps(ground: Ground, topic: str) -> list[int]:
    with reading(ground.kafka, topic) as records:
        return [record.timestamp()[1] for record in records.all()]
