"""From a columnar answer to one output, or one error, for each row."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import cast, get_args

from ekiben_serving.columnar import Answer
from ekiben_serving.model_client import ModelOutput
from ekiben_serving.validation import RowError, RowErrorCode

_CODES = frozenset(get_args(RowErrorCode))


def outputs_of(answer: Answer, latency_ms: float) -> list[ModelOutput | RowError]:
    """What each row was answered, in the order of the rows."""
    labels: Iterable[str | None] = repeat(None)
    probabilities: Iterable[dict[str, float] | None] = repeat(None)
    if answer.labels is not None and answer.probabilities is not None:
        indices: list[int] = answer.labels.tolist()
        labels = [answer.classes[index] for index in indices]
        # map and repeat: this runs for every row of every answer
        probabilities = map(dict, map(zip, repeat(answer.classes), answer.probabilities.tolist()))
    fields = (answer.values.tolist(), labels, probabilities, repeat(latency_ms))
    outputs: list[ModelOutput | RowError] = list(
        map(ModelOutput, repeat(answer.model), repeat(answer.version), *fields)
    )
    for row, (code, message) in answer.errors.items():
        outputs[row] = RowError(cast("RowErrorCode", code) if code in _CODES else "internal", message)
    return outputs
