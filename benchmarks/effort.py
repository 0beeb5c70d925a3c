"""How much is measured: events, runs, seconds. Quick is only to see that it works."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from benchmarks import options as names

_PACES = (500.0, 750.0, 1000.0, 1250.0, 1500.0, 1750.0, 2000.0, 2500.0, 3000.0)


@dataclass(frozen=True, slots=True)
class Effort:
    """Events of each kind of side, runs of each, the pace of the latencies and how long it is held."""

    fast_events: int = 150_000
    naive_events: int = 2_000
    mlserver_events: int = 30_000
    runs: int = 3
    pace: float = 500.0
    paced_s: float = 20.0
    mlserver_paces: tuple[float, ...] = _PACES
    mlserver_paced_s: float = 10.0
    memory_events: int = 300_000
    warm_up_events: int = 5_000

    def events(self, side: str) -> int:
        """How many events a side gets."""
        if side == names.NAIVE:
            return min(self.naive_events, self.fast_events)
        if side in (names.MLSERVER, names.MLSERVER_WORKER):
            return min(self.mlserver_events, self.fast_events)
        return self.fast_events


def effort_of(options: argparse.Namespace) -> Effort:
    """As the options want it."""
    quick = bool(options.quick)
    return Effort(
        fast_events=options.events or (3_000 if quick else 150_000),
        naive_events=100 if quick else 2_000,
        mlserver_events=500 if quick else 30_000,
        runs=options.runs or (1 if quick else 3),
        pace=100.0 if quick else 500.0,
        paced_s=3.0 if quick else 20.0,
        mlserver_paces=(100.0,) if quick else _PACES,
        mlserver_paced_s=3.0 if quick else 10.0,
        warm_up_events=0 if quick else 5_000,
        memory_events=options.events or (9_000 if quick else 300_000),
    )
