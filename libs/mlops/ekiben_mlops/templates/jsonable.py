"""An answer as JSON, one object a row."""

from __future__ import annotations

from typing import Any

from ekiben_mlops.templates.explaining.shapley import instance
from ekiben_serving.columnar import Answer, Explained


def predictions_of(answer: Answer) -> list[dict[str, Any]]:
    """{value, label?, probabilities?, interval?} for each row, or {error: {code, message}}."""
    predictions: list[dict[str, Any]] = [{"value": value} for value in answer.values.tolist()]
    if answer.labels is not None and answer.probabilities is not None:
        rows = zip(predictions, answer.labels.tolist(), answer.probabilities.tolist(), strict=True)
        for prediction, label, probabilities in rows:
            prediction["label"] = answer.classes[label]
            prediction["probabilities"] = dict(zip(answer.classes, probabilities, strict=True))
    if answer.intervals is not None:
        for prediction, (low, high) in zip(predictions, answer.intervals.tolist(), strict=True):
            prediction["interval"] = {"low": low, "high": high}
    for row, (code, message) in answer.errors.items():
        predictions[row] = {"error": {"code": code, "message": message}}
    return predictions


def explanations_of(explained: Explained) -> list[dict[str, Any]]:
    """{value, expected, label?, attributions: what moved it most first} for a row, or its error."""
    found: list[dict[str, Any]] = []
    for row, value in enumerate(explained.values.tolist()):
        if row in explained.errors:
            code, message = explained.errors[row]
            found.append({"error": {"code": code, "message": message}})
            continue
        one: dict[str, Any] = {"value": value, "expected": float(explained.expected[row])}
        if explained.labels is not None:
            one["label"] = explained.classes[explained.labels[row]]
        one["attributions"] = instance(explained.attributions[row], explained.features)
        found.append(one)
    return found
