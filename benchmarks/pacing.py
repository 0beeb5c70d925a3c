"""One side at a steady pace: how long each answer takes, as the one who asks sees it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.ground import Ground
from benchmarks.kafka import Reader, Writer, reading
from benchmarks.measuring import is_pilot, pilot, topics_of
from benchmarks.sides.side import Side

WARM_UP_S: Final = 3.0
STRAGGLERS_S: Final = 10.0
_TICK_S: Final = 0.001


@dataclass(frozen=True, slots=True)
class Paced:
    """Latencies in milliseconds, of what was asked after the warm-up; completeness, of everything."""

    side: str
    rate: float
    asked: int
    missing: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


def paced(
    side: Side, ground: Ground, rate: float, seconds: float, *, stragglers_s: float = STRAGGLERS_S
) -> Paced:
    """Ask so many times a second, for so long after a warm-up, and wait for the stragglers."""
    with topics_of(side, ground, stamped=False) as (prefix, names):
        writer = Writer(ground.kafka, names.requests, linger_ms=0)
        with side.running(ground, prefix), reading(ground.kafka, names.answers) as answers:
            pilot(side, ground, writer, answers)
            took = _ask(side, ground, rate, int(rate * (WARM_UP_S + seconds)), stragglers_s, writer, answers)
            return _summed_up(side, rate, took)


def _ask(
    side: Side,
    ground: Ground,
    rate: float,
    number: int,
    stragglers_s: float,
    writer: Writer,
    answers: Reader,
) -> _Latencies:
    asks = list(side.requests(ground, 0, number))
    took = _Latencies(side, ground, number)
    start = time.perf_counter()
    sent = 0
    while sent < number or (took.missing and time.perf_counter() < start + number / rate + stragglers_s):
        now = time.perf_counter()
        due = min(number, int((now - start) * rate))
        if due > sent:
            took.sent(sent, due, now)
            writer.send(asks[sent:due])
            sent = due
        took.take(answers)
        time.sleep(_TICK_S)
    return took


def _summed_up(side: Side, rate: float, took: _Latencies) -> Paced:
    after = took.seconds[int(rate * WARM_UP_S) :] * 1000
    p50, p95, p99 = np.nanpercentile(after, (50, 95, 99)) if np.isfinite(after).any() else (np.nan,) * 3
    return Paced(side.name, rate, len(took.seconds), took.missing, float(p50), float(p95), float(p99))


class _Latencies:
    """Seconds from asking to the first right answer, NaN until it is there."""

    def __init__(self, side: Side, ground: Ground, number: int) -> None:
        self._side = side
        self._asking = ground.asking
        self._sent = np.full(number, np.nan)
        self.seconds = np.full(number, np.nan)
        self.missing = number

    def sent(self, start: int, end: int, now: float) -> None:
        """These have just left."""
        self._sent[start:end] = now

    def take(self, answers: Reader) -> None:
        """Look what has come."""
        come = answers.come()
        now = time.perf_counter()
        for message in come:
            answer = self._side.read(message)
            if answer is None or is_pilot(answer.request_id) or not self._asking.is_right(*answer):
                continue
            number = int(answer.request_id[1:])
            if number < len(self.seconds) and np.isnan(self.seconds[number]):
                self.seconds[number] = now - self._sent[number]
                self.missing -= 1


def highest_pace(
    side: Side,
    ground: Ground,
    paces: Sequence[float],
    seconds: float,
    *,
    stragglers_s: float = STRAGGLERS_S,
) -> tuple[float, list[Paced]]:
    """The highest of some paces, tried in their order, up to which nothing is missing; 0.0 if none."""
    sustained, tried = 0.0, list[Paced]()
    for rate in paces:
        tried.append(paced(side, ground, rate, seconds, stragglers_s=stragglers_s))
        if tried[-1].missing:
            break
        sustained = rate
    return sustained, tried
