"""Many runs, on several cores."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from simulation.claims import Violation
from simulation.run import Outcome, run

_SHARE = 8


@dataclass
class Sweep:
    """The sums."""

    runs: int = 0
    records: int = 0
    faults: int = 0
    virtual_s: float = 0.0
    failed: list[Outcome] = field(default_factory=list)
    recovered_s: list[float] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count one run."""
        self.runs += 1
        self.records += outcome.records
        self.faults += outcome.faults
        self.virtual_s += outcome.virtual_s
        if outcome.faults:
            self.recovered_s.append(outcome.recovered_s)
        if outcome.violations:
            self.failed.append(outcome)


def sweep(seeds: Iterable[int], workers: int | None = None) -> Iterator[Outcome]:
    """Run them all; outcomes come in the order of their seeds."""
    # what is imported is never garbage: without it each collection is short
    pool = ProcessPoolExecutor(workers or os.cpu_count(), get_context("spawn"), initializer=gc.freeze)
    try:
        yield from pool.map(attempt, seeds, chunksize=_SHARE)
    finally:
        pool.shutdown(cancel_futures=True)


def attempt(seed: int) -> Outcome:
    """A run that ends in an error is a seed that fails, too."""
    try:
        return run(seed)
    except Exception as error:  # noqa: BLE001 - deadlock, livelock, a bug of the bus or of the simulation
        return Outcome(seed, 0, 0, (Violation("the run comes to its end", repr(error)),), "", 0.0, 0.0)
