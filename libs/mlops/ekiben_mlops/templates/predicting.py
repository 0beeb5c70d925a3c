"""One prediction for many rows, and a bad row costs only itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from ekiben_serving.columnar import Array
from ekiben_serving.specs import ColumnSpec

MOST_PREDICTIONS: Final = 128
"""Calls of the model for one body whose rows it fails on: enough to single out a few bad ones."""
_MOST_TEXT: Final = 300
_FAILED: Final = "expected a prediction, found that the model failed"


class Scores(NamedTuple):
    """What a model says to a frame: a value a row, and of a classifier class indices and probabilities.

    `intervals`, rows by low and high, are what a causal model says of its effects.
    """

    values: Array
    labels: Array | None = None
    probabilities: Array | None = None
    intervals: Array | None = None


Predict = Callable[[pd.DataFrame], Scores]


class WithheldError(Exception):
    """A model failed, and what it said stays here: it may quote a value that nobody is to see."""


def withholding(predict: Predict, signature: Iterable[ColumnSpec]) -> Predict:
    """The same predictions; where a column is sensitive, only the class of a failure is told."""
    if not any(spec.sensitive for spec in signature):
        return predict

    def predict_quietly(frame: pd.DataFrame) -> Scores:
        try:
            return predict(frame)
        except Exception as error:  # noqa: BLE001 - whatever a model raises
            kind = type(error).__name__
        raise WithheldError(f"{kind}, whose words may quote a sensitive column")

    return predict_quietly


def predict_each(predict: Predict, frame: pd.DataFrame) -> tuple[Scores, dict[int, tuple[str, str]]]:
    """The scores of every row, and the errors of the rows on which the model fails: those are NaN.

    A part that fails is halved until its bad rows stand alone; once MOST_PREDICTIONS are used up, the
    rows of a part that still fails share its error.
    """
    parts: list[tuple[slice | list[int], Scores]] = []
    errors: dict[int, tuple[str, str]] = {}
    pending = deque([slice(0, len(frame))])
    for number in count(1):
        part = pending.popleft()
        try:
            parts.append((part, checked_scores(predict, frame.iloc[part])))
        except Exception as error:  # noqa: BLE001 - whatever a model raises is its answer to these rows
            middle = (part.start + part.stop) // 2
            if middle > part.start and number < MOST_PREDICTIONS:
                pending += (slice(part.start, middle), slice(middle, part.stop))
            else:
                told = ("internal", f"{_FAILED}: {type(error).__name__}: {error}"[:_MOST_TEXT])
                errors |= dict.fromkeys(range(part.start, part.stop), told)
        if not pending:
            break
    scores = join(len(frame), parts)
    errors |= _non_finite(scores, errors)
    return scores, errors


def checked_scores(predict: Predict, frame: pd.DataFrame) -> Scores:
    """The scores of a model, which must be one for each row."""
    scores = predict(frame)
    if scores.values.shape != (len(frame),):
        raise ValueError(f"expected {len(frame)} predictions, found an array of shape {scores.values.shape}")
    return scores


def join(rows: int, parts: Sequence[tuple[slice | list[int], Scores]]) -> Scores:
    """The scores of parts of the rows as scores of all rows, NaN where there are none."""
    if len(parts) == 1 and len(parts[0][1].values) == rows:
        return parts[0][1]
    values = np.full(rows, np.nan)
    labels = probabilities = intervals = None
    for part, scores in parts:
        values[part] = scores.values
        if scores.labels is not None and scores.probabilities is not None:
            if labels is None or probabilities is None:
                labels, probabilities = (
                    np.full(rows, -1),
                    np.full((rows, scores.probabilities.shape[1]), np.nan),
                )
            labels[part], probabilities[part] = scores.labels, scores.probabilities
        if scores.intervals is not None:
            intervals = np.full((rows, 2), np.nan) if intervals is None else intervals
            intervals[part] = scores.intervals
    return Scores(values, labels, probabilities, intervals)


def _non_finite(scores: Scores, known: Mapping[int, object]) -> dict[int, tuple[str, str]]:
    finite = np.isfinite(scores.values)
    if scores.probabilities is not None:
        finite &= np.isfinite(scores.probabilities).all(axis=1)
    if scores.intervals is not None:
        finite &= np.isfinite(scores.intervals).all(axis=1)
    told = ("internal", "expected a finite prediction, found NaN or infinity")
    return {int(row): told for row in np.flatnonzero(~finite) if row not in known}
