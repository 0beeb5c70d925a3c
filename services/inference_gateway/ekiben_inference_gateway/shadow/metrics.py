"""What shadow scoring counts."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable
from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ekiben_contracts.prediction import ModelsShadowed


class ShadowMetrics:
    """What became of the shadows' questions, how far their answers are off, and how far behind they come."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "ekiben_shadow_requests",
            "Requests that a shadow version was to answer: answered, failed, or skipped for being behind",
            ["model", "version", "status"],
            registry=registry,
        )
        self._difference = Histogram(
            "ekiben_shadow_difference",
            "How far the answer of a shadow is from the one that served, without its sign",
            ["model", "version"],
            buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100),
            registry=registry,
        )
        self._behind = Gauge(
            "ekiben_shadow_behind_seconds",
            "How long ago the oldest request of the last batch was scored",
            registry=registry,
        )

    def told(self, events: Iterable[ModelsShadowed], behind: timedelta) -> None:
        """Count a batch: labels cost more than counting."""
        tally: Tally[tuple[str, str, str]] = Tally()
        for event in events:
            tally[event.model, event.version, event.status] += 1
            if event.difference is not None:
                self._difference.labels(event.model, event.version).observe(abs(event.difference))
        for labels, times in tally.items():
            self._requests.labels(*labels).inc(times)
        self._behind.set(max(0.0, behind.total_seconds()))
