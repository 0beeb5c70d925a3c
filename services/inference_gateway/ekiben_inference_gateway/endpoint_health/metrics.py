"""What Prometheus is told of each endpoint, for as long as a client of it is open."""

from __future__ import annotations

from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ekiben_contracts.health import BreakerState
from ekiben_inference_gateway.routing import Endpoint

Metric = TypeVar("Metric", Counter, Gauge, Histogram)
_LABELS = ["model", "version", "endpoint"]


class EndpointMetrics:
    """Calls, requests and latencies by endpoint, and the state of its circuit breaker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._breaker = Gauge(
            "ekiben_endpoint_breaker",
            "1 for the state that the circuit breaker of an endpoint is in, 0 for the others",
            [*_LABELS, "state"],
            registry=registry,
        )
        self._calls = Counter(
            "ekiben_endpoint_calls",
            "Calls to an endpoint by how they ended: answered, or the kind of the error",
            [*_LABELS, "outcome"],
            registry=registry,
        )
        self._requests = Counter(
            "ekiben_endpoint_requests",
            "Rows of those calls by how they ended; a row can fail in a call that is answered",
            [*_LABELS, "outcome"],
            registry=registry,
        )
        self._seconds = Histogram(
            "ekiben_endpoint_call_seconds",
            "Latency of one call, waits for a slot and retries included, however it ended",
            _LABELS,
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
            registry=registry,
        )
        self._series: dict[Endpoint, set[tuple[Counter | Gauge | Histogram, tuple[str, ...]]]] = {}

    def called(self, endpoint: Endpoint, outcome: str, seconds: float) -> None:
        """Count a call."""
        self._labelled(self._calls, endpoint, outcome).inc()
        self._labelled(self._seconds, endpoint).observe(seconds)

    def ended(self, endpoint: Endpoint, outcome: str, rows: int) -> None:
        """Count rows."""
        if rows:
            self._labelled(self._requests, endpoint, outcome).inc(rows)

    def breaker_is(self, endpoint: Endpoint, state: BreakerState) -> None:
        """It is in this state, and in no other."""
        for each in BreakerState:
            self._labelled(self._breaker, endpoint, each).set(each is state)

    def forget(self, endpoint: Endpoint) -> None:
        """Its client is closed: labels must not grow with the deployments of a lifetime."""
        for metric, more in self._series.pop(endpoint, set()):
            metric.remove(*endpoint, *more)

    def _labelled(self, metric: Metric, endpoint: Endpoint, *more: str) -> Metric:
        self._series.setdefault(endpoint, set()).add((metric, more))
        return metric.labels(*endpoint, *more)
