from __future__ import annotations

from datetime import UTC, datetime

from ekiben.demo.scores import Scores
from ekiben_contracts.models import Method
from ekiben_contracts.prediction import Output, PredictionCompleted


def _result(request_id: str, **said: float) -> PredictionCompleted:
    outputs = [Output(model=model, version="1", value=value, latency_ms=1.0) for model, value in said.items()]
    return PredictionCompleted(
        request_id=request_id,
        model="both" if len(said) > 1 else next(iter(said)),
        entity_id="e",
        time_horizon="short_term",
        prediction=sum(said.values()) / len(said),
        confidence=0.5,
        method=Method.AVERAGE,
        outputs=outputs,
        latency_ms=1.0,
        completed_at=datetime.now(UTC),
    )


def test_every_member_and_the_ensemble_are_held_against_the_outcomes() -> None:
    scores = Scores({"a": True, "b": False, "c": False})
    scores.add(_result("a", trees=0.9, linear=0.4))
    scores.add(_result("b", trees=0.1, linear=0.5))
    scores.add(_result("c", trees=0.2, linear=0.1))

    assert scores.auc() == {"trees": 1.0, "linear": 0.5, "both": 1.0}


def test_a_single_model_is_counted_once() -> None:
    scores = Scores({"a": True, "b": False})
    scores.add(_result("a", trees=0.9))
    scores.add(_result("b", trees=0.1))

    assert scores.auc() == {"trees": 1.0}


def test_a_result_without_a_known_outcome_is_left_out() -> None:
    scores = Scores({"a": True})
    scores.add(_result("somebody-elses", trees=0.9))

    assert scores.auc() == {}
