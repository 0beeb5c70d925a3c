"""From a columnar answer to one output, or one error, for each row."""

from __future__ import annotations

from typing import cast, get_args

from ekiben_serving.columnar import Answer
from ekiben_serving.model_client import ModelOutput
from ekiben_serving.validation import RowError, RowErrorCode

_CODES = frozenset(get_args(RowErrorCode))


def outputs_of(answer: Answer, latency_ms: float) -> list[ModelOutput | RowError]:
    """What each row was answered, in the order of the rows."""
    values: list[float] = answer.values.tolist()
    model, version, classes = answer.model, answer.version, answer.classes
    outputs: list[ModelOutput | RowError]
    if answer.labels is None or answer.probabilities is None:
        outputs = [ModelOutput(model, version, value, None, None, latency_ms) for value in values]
    else:
        labels: list[int] = answer.labels.tolist()
        probabilities: list[list[float]] = answer.probabilities.tolist()
        outputs = [
            ModelOutput(
                model, version, value, classes[label], dict(zip(classes, row, strict=True)), latency_ms
            )
            for value, label, row in zip(values, labels, probabilities, strict=True)
        ]
    for row, (code, message) in answer.errors.items():
        outputs[row] = RowError(cast("RowErrorCode", code) if code in _CODES else "internal", message)
    return outputs
