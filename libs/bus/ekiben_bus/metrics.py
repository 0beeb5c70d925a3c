"""What the bus counts about itself."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
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
        self.skipped = Counter(
            "ekiben_skipped",
            "Records given up unread: older than this service has use for",
            ["topic"],
            registry=registry,
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
            "From reading a batch to its last acknowledgement, without the wait for the batch before",
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
        self._tickets = count()
        self._reading: dict[int, int] = {}
        self._left_ms: int | None = None
        metrics.oldest_unanswered.labels(topic).set_function(self.age_s)

    def reading(self, oldest_ms: int) -> int:
        """A batch was read, whose oldest record is of then. Returns a ticket to tell its end by."""
        ticket = next(self._tickets)
        self._reading[ticket] = oldest_ms
        return ticket

    def answered(self, ticket: int, left_over_ms: int | None) -> None:
        """A batch ended; the oldest record it left unanswered is of then. None: it left none."""
        del self._reading[ticket]
        self._left_ms = left_over_ms

    def failed(self, ticket: int) -> None:
        """A batch ended, and all of it is still unanswered, unless it was told to be answered."""
        oldest_ms = self._reading.pop(ticket, None)
        if oldest_ms is not None:
            self._left_ms = oldest_ms if self._left_ms is None else min(self._left_ms, oldest_ms)

    def released(self) -> None:
        """What is unanswered is for somebody else to read now."""
        self._left_ms = None

    def age_s(self) -> float:
        """In seconds; 0 when all that was read is answered."""
        unanswered = [*self._reading.values(), *(() if self._left_ms is None else (self._left_ms,))]
        return max(0.0, self._clock() - min(unanswered) / 1000) if unanswered else 0.0
