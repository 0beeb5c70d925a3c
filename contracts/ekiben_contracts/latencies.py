"""Latencies as counts in fixed buckets: counts add up over windows and gateways, quantiles do not. Pure.

Bucket k holds what took longer than 2^(k/8) ms, and at most 2^((k+1)/8) ms: each is 9 % wide,
so a quantile read from them is at most that much too high. 229 buckets reach from 10 us to an hour.

Source: OpenTelemetry's metrics data model, ExponentialHistogram, at scale 3.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import ceil, log2

PER_DOUBLING = 8
_SHORTEST_MS = 0.01
_LONGEST_MS = 3_600_000.0
_QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


def bucket_of(latency_ms: float) -> int:
    """The bucket of a latency; what is below 10 us, or above an hour, counts as that."""
    return ceil(log2(min(max(latency_ms, _SHORTEST_MS), _LONGEST_MS)) * PER_DOUBLING) - 1


def upper_bound_ms(bucket: int) -> float:
    """The longest latency that a bucket holds."""
    return 2.0 ** ((bucket + 1) / PER_DOUBLING)


def quantile_ms(buckets: Mapping[int, int], q: float) -> float | None:
    """The upper bound of the bucket that holds the nearest rank; None where nothing was counted."""
    rank = max(1, ceil(q * sum(buckets.values())))
    counted = 0
    for bucket in sorted(buckets):
        counted += buckets[bucket]
        if counted >= rank:
            return upper_bound_ms(bucket)
    return None


def quantiles_ms(buckets: Mapping[int, int]) -> dict[str, float]:
    """p50, p95 and p99, to a microsecond; empty where nothing was counted."""
    found = {name: quantile_ms(buckets, q) for name, q in _QUANTILES.items()}
    return {name: round(value, 3) for name, value in found.items() if value is not None}


def added(many: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """The counts of several, together."""
    total: Counter[int] = Counter()
    for buckets in many:
        total.update(buckets)
    return dict(total)
