"""From a columnar answer to one output, explanation or error for each row."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import cast, get_args

from ekiben_serving.columnar import Answer, Explained
from ekiben_serving.model_client import Explanation, ModelOutput
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
    for row, error in answer.errors.items():
        outputs[row] = _row_error(*error)
    return outputs


def explanations_of(explained: Explained, latency_ms: float) -> list[Explanation | RowError]:
    """What moved the answer to each row, in the order of the rows."""
    labels: Iterable[int | None] = repeat(None) if explained.labels is None else explained.labels.tolist()
    numbers = zip(
        explained.values.tolist(),
        explained.expected.tolist(),
        explained.attributions.tolist(),
        labels,
        strict=False,  # one label for all is endless
    )
    return [
        _row_error(*explained.errors[row])
        if row in explained.errors
        else Explanation(
            explained.model,
            explained.version,
            value,
            expected,
            dict(zip(explained.features, attributions, strict=True)),
            None if label is None else explained.classes[label],
            latency_ms,
        )
        for row, (value, expected, attributions, label) in enumerate(numbers)
    ]


def _row_error(code: str, message: str) -> RowError:
    return RowError(cast("RowErrorCode", code) if code in _CODES else "internal", message)
