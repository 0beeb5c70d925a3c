"""What the synthesizer counts about its answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram

from ekiben_contracts.prediction import PredictionCompleted, PredictionFailed


class SynthesizerMetrics:
    """Answers by model, and how long requests waited for them, in the registry of the service."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._completed = Counter(
            "ekiben_predictions_completed",
            "Requests answered with a prediction",
            ["model"],
            registry=registry,
        )
        self._late = Counter(
            "ekiben_predictions_late",
            "Of them, those ready only after their deadline",
            ["model"],
            registry=registry,
        )
        self._uncombinable = Counter(
            "ekiben_predictions_uncombinable",
            "Scored requests whose outputs do not fit",
            ["model"],
            registry=registry,
        )
        self._latency_seconds = Histogram(
            "ekiben_prediction_latency_seconds",
            "From a request's requested_at to its result",
            ["model"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
            registry=registry,
        )

    def completed(self, results: Iterable[PredictionCompleted]) -> None:
        """Count a batch: labels cost more than counting, so each model's are looked up once."""
        by_model: defaultdict[str, list[PredictionCompleted]] = defaultdict(list)
        for result in results:
            by_model[result.model].append(result)
        for model, of_model in by_model.items():
            self._completed.labels(model).inc(len(of_model))
            self._late.labels(model).inc(sum(result.late for result in of_model))
            latency = self._latency_seconds.labels(model)
            for result in of_model:
                latency.observe(result.latency_ms / 1000)

    def uncombinable(self, results: Iterable[PredictionFailed]) -> None:
        """Count those whose outputs do not fit."""
        for result in results:
            self._uncombinable.labels(result.model).inc()
