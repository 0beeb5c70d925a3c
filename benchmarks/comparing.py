"""Every side in turn, several times, and the ratios between them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import options as names
from benchmarks.ground import Ground
from benchmarks.measuring import Measured, measure
from benchmarks.sides.side import Side

_WARM_UP = 5_000
_BARE = (names.BARE_256, names.BARE_1024)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every run of every side, in the order in which they ran."""

    runs: Mapping[str, Sequence[Measured]]

    def rate(self, side: str) -> float | None:
        """The median of its events a second."""
        return statistics.median(run.events_per_s for run in self.runs[side]) if side in self.runs else None

    def to_bare(self, side: str) -> float | None:
        """The median over the rounds of its rate beside the best bare skeleton of the same round."""
        bare = [self.runs[name] for name in _BARE if name in self.runs]
        if side not in self.runs or not bare:
            return None
        best = [max(run.events_per_s for run in round_) for round_ in zip(*bare, strict=True)]
        return statistics.median(
            run.events_per_s / reference for run, reference in zip(self.runs[side], best, strict=True)
        )

    def missing(self, sides: Iterable[str]) -> int:
        """What was never answered rightly, over all runs of these sides."""
        return sum(run.missing for side in sides for run in self.runs.get(side, ()))


def compare(sides: Mapping[str, Side], ground: Ground, events: Mapping[str, int], runs: int) -> Comparison:
    """Run them in turn, so that whatever else the machine does meets all; the first round is a warm-up."""
    done: dict[str, list[Measured]] = {name: [] for name in sides}
    for round_ in range(runs + 1):
        for name, side in sides.items():
            measured = measure(side, ground, events[name] if round_ else min(events[name], _WARM_UP))
            if round_:
                done[name].append(measured)
                print(f"  round {round_}  {_line(measured)}", flush=True)
    return Comparison(done)


def _line(run: Measured) -> str:
    cpu_us = "-" if run.cpu_us is None else f"{run.cpu_us:.1f}"
    return (
        f"{run.side:<28}{run.events_per_s:>10,.0f} events/s{cpu_us:>8} us CPU"
        f"{run.missing:>8,} missing   load {run.load:.1f}"
    )
