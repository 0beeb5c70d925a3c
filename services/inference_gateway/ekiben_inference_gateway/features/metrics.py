"""What the gateway counts about its feature store."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram


class FeatureMetrics:
    """Reads, what they cost and what they lacked, by feature service, in the registry of the service."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "ekiben_feature_read_seconds",
            "Latency of one read of the feature store, by how it ended: answered or away",
            ["service", "outcome"],
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
            registry=registry,
        )
        self._entities = Counter(
            "ekiben_feature_entities",
            "Entities that the feature store was asked about, by how the read ended",
            ["service", "outcome"],
            registry=registry,
        )
        self._lacking = Counter(
            "ekiben_feature_lacking",
            "Features that the store could not give, by why: unkeyed, unseen, stale or unfit",
            ["service", "why"],
            registry=registry,
        )

    def read(self, service: str, entities: int, seconds: float, outcome: str) -> None:
        """Count one read."""
        self._seconds.labels(service, outcome).observe(seconds)
        self._entities.labels(service, outcome).inc(entities)

    def lacking(self, service: str, why: Iterable[str]) -> None:
        """Count features without a value."""
        for each, times in Tally(why).items():
            self._lacking.labels(service, each).inc(times)
