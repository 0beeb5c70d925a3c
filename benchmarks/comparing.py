"""Every side in turn, several times, and the ratios between them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import options as names
from benchmarks.effort import Effort
from benchmarks.lineup import Lineup
from benchmarks.measuring import Measured, measure

_BARE = (names.BARE_256, names.BARE_1024)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every run of every side, in the order in which they ran."""

    runs: Mapping[str, Sequence[Measured]]

    def rate(self, side: str) -> float | None:
        """The median of its events a second."""
        return statistics.median(run.events_per_s for run in self.runs[side]) if side in self.runs else None

    def complete_rate(self, side: str) -> float | None:
        """The same, where nothing was ever missing."""
        return None if self.missing([side]) else self.rate(side)

    def to(self, side: str, others: Iterable[str]) -> float | None:
        """The median over the rounds of its rate beside the best of others in the same round."""
        beside = [self.runs[name] for name in others if name in self.runs]
        if side not in self.runs or not beside:
            return None
        best = [max(run.events_per_s for run in round_) for round_ in zip(*beside, strict=True)]
        pairs = zip(self.runs[side], best, strict=True)
        return statistics.median(
            run.events_per_s / reference if reference else 0.0 for run, reference in pairs
        )

    def to_bare(self, side: str) -> float | None:
        """The ratio to the better bare skeleton."""
        return self.to(side, _BARE)

    def missing(self, sides: Iterable[str]) -> int:
        """What was never answered rightly, over all runs of these sides."""
        return sum(run.missing for side in sides for run in self.runs.get(side, ()))


def compare(lineup: Lineup, effort: Effort) -> Comparison:
    """Run them in turn, so that whatever else the machine does meets all; a warm-up comes first."""
    done: dict[str, list[Measured]] = {name: [] for name in lineup.sides}
    for name, side in lineup.sides.items() if effort.warm_up_events else ():
        measure(side, lineup.ground, min(effort.events(name), effort.warm_up_events))
    for round_ in range(1, effort.runs + 1):
        for name, side in lineup.sides.items():
            measured = measure(side, lineup.ground, effort.events(name))
            done[name].append(measured)
            print(f"  round {round_}  {_line(measured)}", flush=True)
    return Comparison(done)


def _line(run: Measured) -> str:
    cpu_us = "-" if run.cpu_us is None else f"{run.cpu_us:.1f}"
    return (
        f"{run.side:<28}{run.events_per_s:>10,.0f} events/s{cpu_us:>9} us CPU"
        f"{run.missing:>8,} missing   load {run.load:.1f}"
    )
