"""`python -m benchmarks`: see --help, and docs/performance.md."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from benchmarks import options as names
from benchmarks.comparing import Comparison, compare
from benchmarks.lineup import Lineup, lineup
from benchmarks.options import read_options
from benchmarks.profiling import profile
from ekiben_telemetry.logging import configure


def main() -> None:
    """Run what was asked for; the last line is one JSON object."""
    options = read_options()
    configure("benchmark", "ERROR")
    with lineup(options.sides, options.bootstrap_servers, sampling=options.profile) as found:
        if options.profile:
            summary = {"profile_us": profile(found, options.events)}
        else:
            summary = _compare(found, options)
    print(json.dumps(summary))


def _compare(found: Lineup, options: argparse.Namespace) -> dict[str, object]:
    events = dict.fromkeys(found.sides, int(options.events))
    comparison = compare(found.sides, found.ground, events, options.runs)
    if options.json is not None:
        runs = {side: [asdict(run) for run in runs] for side, runs in comparison.runs.items()}
        options.json.write_text(json.dumps(runs, indent=1))
    return _summary(comparison)


def _summary(comparison: Comparison) -> dict[str, object]:
    ratios = {
        "gateway_to_bare": comparison.to_bare(names.GATEWAY),
        "pipeline_to_bare": comparison.to_bare(names.PIPELINE),
    }
    return {
        **{name: None if ratio is None else round(ratio, 3) for name, ratio in ratios.items()},
        "missing": comparison.missing([names.GATEWAY, names.PIPELINE]),
    }


if __name__ == "__main__":
    main()
