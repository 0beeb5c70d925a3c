"""What the bus counts about itself."""

from __future__ import annotations

from collections.abc import Callable
from time import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class BusMetrics:
    """The metrics of one service's consumption, in a registry of its own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = Counter("ekiben_records", "Records read and finished", ["topic"], registry=registry)
        self.dead_letters = Counter(
            "ekiben_dead_letters", "Records written to the dead-letter topic", ["topic"], registry=registry
        )
        self.moved = Counter(
            "ekiben_moved", "Records moved to a retry topic, or parked", ["topic"], registry=registry
        )
        self.held = Counter(
            "ekiben_batches_held",
            "Batches of which a part could not be answered yet",
            ["topic"],
            registry=registry,
        )
        self.failed = Counter(
            "ekiben_batches_failed", "Batches that were given up and read again", ["topic"], registry=registry
        )
        self.batch_seconds = Histogram(
            "ekiben_batch_seconds",
            "From reading a batch to its last acknowledgement",
            ["topic"],
            registry=registry,
        )
        self.batch_records = Histogram(
            "ekiben_batch_records",
            "Records of a batch",
            ["topic"],
            buckets=(1, 4, 16, 64, 256, 1024, 4096),
            registry=registry,
        )
        self.oldest_unanswered = Gauge(
            "ekiben_oldest_unanswered_seconds",
            "Age of the oldest record that was read and is not answered; 0 when there is none",
            ["topic"],
            registry=registry,
        )


class OldestUnanswered:
    """The gauge of one topic: the age of the oldest record that was read and is not answered yet.

    Times are milliseconds since the epoch, as records have them. What is held, or not due yet, counts.
    """

    def __init__(self, metrics: BusMetrics, topic: str, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self._oldest_ms: int | None = None
        metrics.oldest_unanswered.labels(topic).set_function(self.age_s)

    def reading(self, oldest_ms: int) -> None:
        """A batch was read, whose oldest record is of then."""
        self._oldest_ms = oldest_ms if self._oldest_ms is None else min(self._oldest_ms, oldest_ms)

    def answered(self, left_over_ms: int | None) -> None:
        """A batch ended; the oldest record that it left unanswered is of then. None: it left none."""
        self._oldest_ms = left_over_ms

    def age_s(self) -> float:
        """In seconds; 0 when all that was read is answered."""
        return 0.0 if self._oldest_ms is None else max(0.0, self._clock() - self._oldest_ms / 1000)
