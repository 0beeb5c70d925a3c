"""What the gateway counts about requests and about the models it asks."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram

from ekiben_inference_gateway.routing import Endpoint

UNROUTED = "(unrouted)"
"""In place of names that no route knows: a label must not grow with what users send."""


class GatewayMetrics:
    """Requests by model and outcome, calls by endpoint, in the registry of the service."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "ekiben_gateway_requests",
            "Requests by what became of them: scored, failing, waiting, or the code of their failure",
            ["model", "outcome"],
            registry=registry,
        )
        self._calls = Counter(
            "ekiben_model_calls",
            "Calls to models by how they ended: answered, or the class of the error",
            ["model", "version", "outcome"],
            registry=registry,
        )
        self._call_rows = Histogram(
            "ekiben_model_call_rows",
            "Rows of one call",
            ["model", "version"],
            buckets=(1, 4, 16, 64, 256, 1024, 4096),
            registry=registry,
        )
        self._call_seconds = Histogram(
            "ekiben_model_call_seconds",
            "Latency of one call, retries included",
            ["model", "version"],
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
            registry=registry,
        )

        self._explaining = Histogram(
            "ekiben_model_explain_seconds",
            "Latency of calls for explanations, by how they ended: explained, or the kind of the error",
            ["model", "version", "outcome"],
            buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
            registry=registry,
        )

    def answered(self, outcomes: Iterable[tuple[str, str]]) -> None:
        """Count a batch of (model, outcome): labels cost more than counting."""
        for (model, outcome), times in Tally(outcomes).items():
            self._requests.labels(model, outcome).inc(times)

    def called(self, endpoint: Endpoint, rows: int, seconds: float, outcome: str) -> None:
        """Count one call."""
        labels = endpoint.model, endpoint.version
        self._calls.labels(*labels, outcome).inc()
        self._call_rows.labels(*labels).observe(rows)
        self._call_seconds.labels(*labels).observe(seconds)

    def explaining(self, endpoint: Endpoint, seconds: float, outcome: str) -> None:
        """Count one call for explanations."""
        self._explaining.labels(endpoint.model, endpoint.version, outcome).observe(seconds)
