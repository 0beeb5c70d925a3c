"""What was found, for people and as the JSON of the last line."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.over_http.comparing import Comparison
from benchmarks.over_http.sides import BATCHED, BENTO, SINGLE

_DIGITS = 3
_HEADS = ("requests/s", "to bento", "p50 ms", "p95 ms", "p99 ms", "gateway us", "model us", "failed")


def show(comparison: Comparison) -> None:
    """A line for each side: medians of its rounds."""
    title = f"{comparison.connections} connections"
    print(f"\n{title:<40}" + "".join(f"{head:>11}" for head in _HEADS))
    for side in comparison.rounds:
        print(_line(comparison, side))


def _line(comparison: Comparison, side: str) -> str:
    rounds, ratio = comparison.rounds[side], comparison.to(side, BENTO)
    latencies = "".join(
        f"{comparison.median(side, of):>11.1f}"
        for of in (lambda one: one.load.p50_ms, lambda one: one.load.p95_ms, lambda one: one.load.p99_ms)
    )
    cpu = "".join(
        f"{_cpu(values):>11}"
        for values in ([one.gateway_us for one in rounds], [one.model_us for one in rounds])
    )
    shown = "void" if ratio is None else f"{ratio:.2f}"
    return (
        f"{side:<40}{comparison.rate(side):>11,.0f}{shown:>11}{latencies}{cpu}{comparison.failed(side):>11,}"
    )


def _cpu(values: Sequence[float | None]) -> str:
    known = sorted(value for value in values if value is not None)
    return f"{known[len(known) // 2]:,.0f}" if known else "-"


def summary(comparison: Comparison, void: Sequence[str]) -> dict[str, object]:
    """What the last line says. A run in which anything failed has no ratios."""
    ratios = {
        "single_to_bento": comparison.to(SINGLE, BENTO),
        "batched_to_bento": comparison.to(BATCHED, BENTO),
    }
    return {
        **{name: None if void or ratio is None else round(ratio, _DIGITS) for name, ratio in ratios.items()},
        "connections": comparison.connections,
        "requests_per_s": {side: round(comparison.rate(side), 1) for side in comparison.rounds},
        "failed": sum(map(comparison.failed, comparison.rounds)),
        "void": list(void),
    }
