"""From columns, or rows, to an answer for each row, once they fit the signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from ekiben_mlops.templates.predicting import Predict, Scores, join, predict_each
from ekiben_serving.columnar import Answer, Column, decode_columns, encode_rows
from ekiben_serving.specs import ColumnSpec, FeatureValue
from ekiben_serving.validation import RowError, Signature

_MOST_NAMED: Final = 5


class SignatureError(ValueError):
    """The columns of a body are not those of the model's signature."""


class Scorer:
    """A model with its name, its signature and its classes."""

    def __init__(
        self,
        model: str,
        version: str,
        signature: Sequence[ColumnSpec],
        classes: Sequence[str],
        predict: Predict,
    ) -> None:
        self.model = model
        self.version = version
        self._signature = Signature(signature)
        self.columns = tuple(spec.name for spec in signature)
        self._expected = {spec.name: (str(spec.dtype), not spec.required) for spec in signature}
        self.classes = tuple(classes)
        self._predict = predict

    def score_columns(self, columns: Mapping[str, Column]) -> Answer:
        """The answer to a body's columns.

        Raises:
            SignatureError: they are not the columns of the signature.
        """
        return self._answer(*predict_each(self._predict, self.frame_of(columns)))

    def score_rows(self, rows: Sequence[Mapping[str, FeatureValue]]) -> Answer:
        """The answer to rows as JSON has them: those that do not fit the signature have their error."""
        fitting, errors = self.sorted_out(rows)
        parts: list[tuple[slice | list[int], Scores]] = []
        if fitting:
            scores, failed = predict_each(self._predict, self.frame_of_rows([rows[row] for row in fitting]))
            parts.append((fitting, scores))
            errors |= {fitting[row]: error for row, error in failed.items()}
        return self._answer(join(len(rows), parts), errors)

    def sorted_out(self, rows: Sequence[Mapping[str, FeatureValue]]) -> tuple[list[int], dict[int, RowError]]:
        """Which rows fit the signature, and the errors of the others."""
        checked = [self._signature.check(row) for row in rows]
        fitting = [row for row, error in enumerate(checked) if error is None]
        return fitting, {row: error for row, error in enumerate(checked) if error is not None}

    def frame_of_rows(self, rows: Sequence[Mapping[str, FeatureValue]]) -> pd.DataFrame:
        """Rows that fit the signature, as the model takes them."""
        return self.frame_of(decode_columns(encode_rows(rows, self._signature.specs)))

    def frame_of(self, columns: Mapping[str, Column]) -> pd.DataFrame:
        """A body's columns, as the model takes them.

        Raises:
            SignatureError: they are not the columns of the signature.
        """
        self._check_columns(columns)
        return pd.DataFrame({name: columns[name].values for name in self._expected})

    def _answer(self, scores: Scores, errors: Mapping[int, tuple[str, str]]) -> Answer:
        return Answer(
            self.model,
            self.version,
            scores.values,
            errors,
            self.classes,
            scores.labels,
            scores.probabilities,
            scores.intervals,
        )

    def _check_columns(self, columns: Mapping[str, Column]) -> None:
        found = {name: (column.dtype, column.nulls) for name, column in columns.items()}
        if found == self._expected:
            return
        wrong = [
            f"{name}: expected {_kind(self._expected.get(name))}, found {_kind(found.get(name))}"
            for name in {**self._expected, **found}
            if self._expected.get(name) != found.get(name)
        ]
        raise SignatureError(
            f"the columns are not those of {self.model} {self.version}: {'; '.join(wrong[:_MOST_NAMED])} "
            f"({len(wrong)} in all). Is the caller's route of another version?"
        )


def _kind(column: tuple[str, bool] | None) -> str:
    if column is None:
        return "nothing"
    return f"{column[0]} or null" if column[1] else column[0]
