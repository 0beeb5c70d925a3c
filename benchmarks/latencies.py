"""The paced runs of a session: at one pace beside each other, and Ekiben at 60 % of its most."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks import options as names
from benchmarks.comparing import Comparison
from benchmarks.effort import Effort
from benchmarks.lineup import Lineup
from benchmarks.pacing import Paced, highest_pace, paced

_SHARE = 0.6


@dataclass(slots=True)
class Latencies:
    """What was measured; None what was not. `tried` is all of it, in its order."""

    pipeline: Paced | None = None
    two_hops: Paced | None = None
    mlserver: Paced | None = None
    mlserver_sustained: float | None = None
    pipeline_at_60: Paced | None = None
    tried: list[Paced] = field(default_factory=list[Paced])


def measure_latencies(lineup: Lineup, comparison: Comparison, effort: Effort) -> Latencies:
    """All sides that have a latency to tell, one after the other."""
    found = Latencies()

    def run(name: str, rate: float) -> Paced | None:
        side = lineup.two_hops if name == names.TWO_HOPS else lineup.sides.get(name)
        if side is None:
            return None
        found.tried.append(paced(side, lineup.ground, rate, effort.paced_s))
        return found.tried[-1]

    if names.PIPELINE in lineup.sides:
        found.two_hops = run(names.TWO_HOPS, effort.pace)
        found.pipeline = run(names.PIPELINE, effort.pace)
        most = comparison.rate(names.PIPELINE)
        found.pipeline_at_60 = run(names.PIPELINE, _SHARE * most) if most else None
    found.mlserver = run(names.MLSERVER, effort.pace)
    if names.MLSERVER in lineup.sides:
        mlserver = lineup.sides[names.MLSERVER]
        found.mlserver_sustained, tried = highest_pace(
            mlserver, lineup.ground, effort.mlserver_paces, effort.mlserver_paced_s
        )
        found.tried += tried
    return found
