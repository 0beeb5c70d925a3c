"""An answer as JSON, one object a row."""

from __future__ import annotations

from typing import Any

from ekiben_serving.columnar import Answer


def predictions_of(answer: Answer) -> list[dict[str, Any]]:
    """{value, label?, probabilities?} for a row that has an answer, {error: {code, message}} for another."""
    predictions: list[dict[str, Any]] = [{"value": value} for value in answer.values.tolist()]
    if answer.labels is not None and answer.probabilities is not None:
        rows = zip(predictions, answer.labels.tolist(), answer.probabilities.tolist(), strict=True)
        for prediction, label, probabilities in rows:
            prediction["label"] = answer.classes[label]
            prediction["probabilities"] = dict(zip(answer.classes, probabilities, strict=True))
    for row, (code, message) in answer.errors.items():
        predictions[row] = {"error": {"code": code, "message": message}}
    return predictions
