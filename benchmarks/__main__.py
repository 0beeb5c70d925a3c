"""`python -m benchmarks`: see --help, and docs/performance.md."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict

from benchmarks import options as names
from benchmarks.comparing import compare
from benchmarks.effort import Effort, effort_of
from benchmarks.latencies import measure_latencies
from benchmarks.lineup import Lineup, lineup
from benchmarks.memory import show_memory, watch_memory
from benchmarks.options import read_options
from benchmarks.profiling import profile
from benchmarks.scaling import Scaled, scale, show_scaled
from benchmarks.tables import show_comparison, show_paced, summary
from ekiben_telemetry.logging import configure


def main() -> None:
    """Run what was asked for; the last line is one JSON object."""
    options = read_options()
    configure("benchmark", "ERROR")
    effort = effort_of(options)
    with lineup(options) as found:
        if options.profile:
            said: Mapping[str, object] = {"profile_us": profile(found, effort.fast_events)}
        elif options.memory:
            said = _memory(found, effort)
        elif options.scaling:
            said = _scale(found, effort)
        else:
            said = _compare(found, effort, options)
    print(json.dumps(said))


def _compare(found: Lineup, effort: Effort, options: argparse.Namespace) -> Mapping[str, object]:
    comparison = compare(found, effort)
    show_comparison(comparison, found.skipped)
    latencies = measure_latencies(found, comparison, effort)
    show_paced(latencies.tried)
    if options.json is not None:
        runs = {side: [asdict(run) for run in runs] for side, runs in comparison.runs.items()}
        options.json.write_text(
            json.dumps({"runs": runs, "paced": list(map(asdict, latencies.tried))}, indent=1)
        )
    return summary(comparison, latencies, found.skipped)


def _memory(found: Lineup, effort: Effort) -> Mapping[str, object]:
    memory = watch_memory(found.sides[names.GATEWAY], found.ground, effort.memory_events)
    show_memory(memory)
    return {"memory_mb": memory.most_mb, "memory_mb_per_100k": memory.mb_per_100k, "events": memory.events}


def _scale(found: Lineup, effort: Effort) -> Mapping[str, object]:
    done: list[Scaled] = []
    for scaled in scale(found.ground, effort):
        show_scaled(scaled)
        done.append(scaled)
    return {"scaling": [asdict(scaled) for scaled in done]}


if __name__ == "__main__":
    main()
