"""What one served model shows to Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_BY = ("model", "version")


class ModelMetrics:
    """The metrics of one model. BentoML runs prometheus_client in its multi-process mode."""

    def __init__(self, model: str, version: str) -> None:
        names = {"model": model, "version": version}
        self._requests = Counter("ekiben_model_requests", "Requests, good or bad.", (*_BY, "endpoint"))
        self._latency = Histogram("ekiben_model_latency_seconds", "From body to answer.", (*_BY, "endpoint"))
        self._predictions = Counter("ekiben_model_predictions", "Rows answered.", _BY).labels(**names)
        self._batch_size = Histogram(
            "ekiben_model_batch_size", "Rows in a request.", _BY, buckets=[4**power for power in range(9)]
        ).labels(**names)
        self._errors = Counter(
            "ekiben_model_errors", "Rows refused, or requests as code request.", (*_BY, "code")
        )
        load = Gauge(
            "ekiben_model_load_seconds", "Loading the model took.", _BY, multiprocess_mode="mostrecent"
        )
        healthy = Gauge(
            "ekiben_model_healthy",
            "1 once it answers its input example.",
            _BY,
            multiprocess_mode="mostrecent",
        )
        self._load, self._healthy = load.labels(**names), healthy.labels(**names)
        self._names = names

    def loaded(self, seconds: float) -> None:
        """The model stands in memory and answers its input example as it should."""
        self._load.set(seconds)
        self._healthy.set(1)

    def answered(
        self,
        endpoint: str,
        rows: int,
        errors: dict[str, int],
        seconds: float,
        *,
        predictions: int | None = None,
    ) -> None:
        """A request was answered, some of its rows perhaps with errors."""
        self._requests.labels(**self._names, endpoint=endpoint).inc()
        self._latency.labels(**self._names, endpoint=endpoint).observe(seconds)
        self._batch_size.observe(rows)
        self._predictions.inc(rows - sum(errors.values()) if predictions is None else predictions)
        for code, number in errors.items():
            self._errors.labels(**self._names, code=code).inc(number)

    def explained(self, endpoint: str, rows: int, errors: dict[str, int], seconds: float) -> None:
        """Rows were explained: no predictions that anybody asked for, so they do not count as such."""
        self.answered(endpoint, rows, errors, seconds, predictions=0)

    def refused(self, endpoint: str) -> None:
        """A request could not be answered at all."""
        self._requests.labels(**self._names, endpoint=endpoint).inc()
        self._errors.labels(**self._names, code="request").inc()
