"""The one terminal event of a request that was scored."""

from __future__ import annotations

from datetime import datetime

from ekiben_contracts.lean import LeanCompleted
from ekiben_contracts.prediction import (
    FailureCode,
    Interval,
    ModelsScored,
    PredictionCompleted,
    PredictionFailed,
)
from ekiben_synthesizer.agreement import agreement
from ekiben_synthesizer.combining import Combined, combine, shares
from ekiben_synthesizer.confidence import certainty, confidence
from ekiben_synthesizer.explaining import explain
from ekiben_synthesizer.intervals import UNIT, around, half_width
from ekiben_synthesizer.pins import RouteTable, calibrations, classes


def completed(
    scored: ModelsScored, routes: RouteTable, coverage: float, now: datetime, attempt: int
) -> PredictionCompleted:
    """The answer of all models together. `coverage` is what no ensemble's own definition overrides.

    Its numbers come of validated ones by means, so it is not validated again: half the cost.

    Raises:
        CombinationError: the outputs do not fit each other or the method.
    """
    parts = shares(scored.outputs, scored.method, scored.weights)
    combined = combine(scored.outputs, parts, classes(scored, routes))
    reach = half_width(calibrations(scored, routes), parts, scored.coverage or coverage)
    interval = _interval(combined, reach)
    agreed = agreement(scored.outputs, reach[0] if reach else None)
    explanation, unexplained = explain(scored, parts, combined)
    return LeanCompleted(
        attempt=attempt,
        status="completed",
        late=scored.deadline is not None and now > scored.deadline,
        request_id=scored.request_id,
        model=scored.model,
        entity_id=scored.entity_id,
        time_horizon=scored.time_horizon,
        prediction=combined.prediction,
        label=combined.label,
        probabilities=combined.probabilities,
        interval=interval,
        confidence=confidence(
            certainty(combined, interval),
            agreed,
            len(scored.outputs),
            len(scored.missing),
            of_ensemble=scored.revision is not None,
        ),
        agreement=agreed,
        method=scored.method,
        outputs=scored.outputs,
        missing=scored.missing,
        explanation=explanation,
        unexplained=unexplained,
        context=None,
        latency_ms=max(0.0, (now - scored.requested_at).total_seconds() * 1000),
        completed_at=now,
    )


def failed(
    request_id: str,
    message: str,
    dead_letter: str,
    now: datetime,
    *,
    attempt: int,
    model: str | None = None,
    entity_id: str | None = None,
) -> PredictionFailed:
    """The answer to a request whose outputs could not become one. Its scored event is a dead letter."""
    return PredictionFailed(
        attempt=attempt,
        request_id=request_id,
        model=model,
        entity_id=entity_id,
        code=FailureCode.INTERNAL,
        message=message,
        retryable=False,
        dead_letter=dead_letter,
        failed_at=now,
    )


def _interval(combined: Combined, reach: tuple[float, float] | None) -> Interval | None:
    if reach is None:
        return None
    if combined.probabilities is None:
        return around(combined.prediction, *reach)
    return around(combined.prediction, *reach, within=UNIT) if combined.is_binary else None
