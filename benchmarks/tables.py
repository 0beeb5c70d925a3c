"""What a session has found, for people and as the JSON of the last line."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from benchmarks import options as names
from benchmarks.comparing import Comparison
from benchmarks.latencies import Latencies
from benchmarks.measuring import Measured
from benchmarks.pacing import Paced

_DIGITS = 3


def show_comparison(comparison: Comparison, skipped: Mapping[str, str]) -> None:
    """A line for each side."""
    print(
        f"\n{'median of the runs':<28}{'events':>9}{'events/s':>11}{'to bare':>9}{'us CPU':>9}"
        f"{'missing':>9}{'wrong':>7}{'twice':>7}"
    )
    for side, runs in comparison.runs.items():
        print(_side(runs, comparison.to_bare(side)))
    for side, why in skipped.items():
        print(f"{side:<28} skipped: {why}")


def _side(runs: Sequence[Measured], to_bare: float | None) -> str:
    cpu_us = [run.cpu_us for run in runs if run.cpu_us is not None]
    return (
        f"{runs[0].side:<28}{runs[0].events:>9,}{statistics.median(run.events_per_s for run in runs):>11,.0f}"
        f"{_or_dash(to_bare, '.3f'):>9}{_or_dash(statistics.median(cpu_us) if cpu_us else None, '.1f'):>9}"
        f"{sum(run.missing for run in runs):>9,}{sum(run.wrong for run in runs):>7,}"
        f"{sum(run.twice for run in runs):>7,}"
    )


def show_paced(tried: Sequence[Paced]) -> None:
    """A line for each pace."""
    heads = ("a second", "asked", "p50 ms", "p95 ms", "p99 ms", "missing")
    print(f"\n{'at a steady pace':<28}" + "".join(f"{head:>9}" for head in heads))
    for one in tried:
        print(
            f"{one.side:<28}{one.rate:>9,.0f}{one.asked:>9,}{one.p50_ms:>9.1f}{one.p95_ms:>9.1f}"
            f"{one.p99_ms:>9.1f}{one.missing:>9,}"
        )


def summary(comparison: Comparison, latencies: Latencies, skipped: Mapping[str, str]) -> dict[str, object]:
    """What the last line says. Null is what was not measured; `skipped` says why."""
    ours, theirs, bare = latencies.pipeline, latencies.mlserver, latencies.two_hops
    sustained = max(
        latencies.mlserver_sustained or 0.0,
        comparison.complete_rate(names.MLSERVER) or 0.0,
        comparison.complete_rate(names.MLSERVER_WORKER) or 0.0,
    )
    pipeline = comparison.rate(names.PIPELINE)
    found: dict[str, float | None] = {
        "gateway_to_bare": comparison.to_bare(names.GATEWAY),
        "pipeline_to_bare": comparison.to_bare(names.PIPELINE),
        "gateway_to_same_events": comparison.to(names.GATEWAY, [names.BARE_CONTRACTS]),
        "pipeline_to_same_events": comparison.to(names.PIPELINE, [names.BARE_CONTRACTS]),
        "pipeline_to_naive": comparison.to(names.PIPELINE, [names.NAIVE]),
        "pipeline_to_mlserver": pipeline / sustained if pipeline and sustained else None,
        "p95_ms_500": ours and ours.p95_ms,
        "p99_ms_500": ours and ours.p99_ms,
        "mlserver_p95_ms_500": theirs and theirs.p95_ms,
        "p95_to_bare_500": ours and bare and ours.p95_ms / bare.p95_ms,
        "p99_to_bare_500": ours and bare and ours.p99_ms / bare.p99_ms,
        "p95_ms_60_percent": latencies.pipeline_at_60 and latencies.pipeline_at_60.p95_ms,
    }
    paced = [one.missing for one in (ours, latencies.pipeline_at_60) if one is not None]
    return {
        **{name: None if value is None else round(value, _DIGITS) for name, value in found.items()},
        "missing": comparison.missing([names.GATEWAY, names.PIPELINE]) + sum(paced),
        "skipped": dict(skipped),
    }


def _or_dash(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
