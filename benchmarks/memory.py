"""`--memory`: how the gateway's resident memory grows while it answers a long backlog."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import numpy as np
import psutil

from benchmarks.ground import Ground
from benchmarks.kafka import Writer, reading
from benchmarks.measuring import STALLED_S, topics_of
from benchmarks.sides.side import Side

_EVERY_S: Final = 0.1
_MB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes: the most there was, and what each 100,000 events add over the last two thirds.

    `answered` and `resident_mb` are the samples, beside each other.
    """

    events: int
    most_mb: float
    mb_per_100k: float
    answered: list[int]
    resident_mb: list[float]


def watch_memory(side: Side, ground: Ground, events: int) -> Memory:
    """Sample a side's processes until all is answered.

    Raises:
        TimeoutError: that did not come to its end.
    """
    with topics_of(side, ground) as (prefix, names):
        writer = Writer(ground.kafka, names.requests)
        writer.send(side.requests(ground, 0, events))
        writer.finish()
        with reading(ground.kafka, names.answers) as answers, side.running(ground, prefix) as processes:
            watched = [psutil.Process(process.pid) for process in processes]
            samples: list[tuple[int, float]] = []
            moved = time.monotonic()
            while not samples or samples[-1][0] < events:
                now = len(answers), sum(process.memory_info().rss for process in watched) / _MB
                if samples and now[0] != samples[-1][0]:
                    moved = time.monotonic()
                samples.append(now)
                if time.monotonic() - moved > 4 * STALLED_S:
                    raise TimeoutError(f"expected {events} answers of {side.name}, found {now[0]}")
                time.sleep(_EVERY_S)
    return _summed_up(events, samples)


def _summed_up(events: int, samples: list[tuple[int, float]]) -> Memory:
    answered, resident = np.array(samples).T
    late = answered >= events / 3
    slope = np.polyfit(answered[late], resident[late], 1)[0] if np.ptp(answered[late]) else 0.0
    return Memory(
        events=events,
        most_mb=round(float(resident.max()), 1),
        mb_per_100k=round(float(slope) * 100_000, 2),
        answered=[int(number) for number in answered],
        resident_mb=[round(float(number), 1) for number in resident],
    )


def show_memory(found: Memory) -> None:
    """At each tenth of the way."""
    print(f"\n{'answered':>12}{'resident MB':>14}")
    for tenth in range(1, 11):
        place = int(np.searchsorted(found.answered, found.events * tenth / 10))
        print(f"{found.answered[place]:>12,}{found.resident_mb[place]:>14.1f}")
    print(f"growth over the last two thirds: {found.mb_per_100k:.2f} MB for 100,000 events")
