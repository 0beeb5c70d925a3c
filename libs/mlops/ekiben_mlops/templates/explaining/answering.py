"""From columns, or rows, to what moved their answers, once they fit the signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from ekiben_mlops.templates.explaining.explainer import Explained as Found
from ekiben_mlops.templates.explaining.explainer import Explainer
from ekiben_mlops.templates.predicting import Predict, predict_each
from ekiben_mlops.templates.scoring import Scorer
from ekiben_serving.columnar import Column, Explained
from ekiben_serving.specs import FeatureValue

MOST_ROWS: Final = 64


class TooManyRowsError(ValueError):
    """More rows than are explained in one call."""


class Explaining:
    """A scorer with an explainer. After `until`, by the explainer's clock, no row is begun."""

    def __init__(self, scorer: Scorer, predict: Predict, explainer: Explainer) -> None:
        self._scorer = scorer
        self._predict = predict
        self._explainer = explainer

    def explain_columns(self, columns: Mapping[str, Column], until: float) -> Explained:
        """What moved the answers to a body's columns.

        Raises:
            SignatureError: they are not the columns of the signature.
            TooManyRowsError: they are more than MOST_ROWS.
        """
        frame = self._scorer.frame_of(columns)
        _check_size(len(frame))
        return self._explained(frame, until)

    def explain_rows(self, rows: Sequence[Mapping[str, FeatureValue]], until: float) -> Explained:
        """The same of rows as JSON has them: those that do not fit the signature have their error.

        Raises:
            TooManyRowsError: they are more than MOST_ROWS.
        """
        _check_size(len(rows))
        fitting, errors = self._scorer.sorted_out(rows)
        if not fitting:
            return self._spread(None, [], len(rows), errors)
        found = self._explained(self._scorer.frame_of_rows([rows[row] for row in fitting]), until)
        errors |= {fitting[row]: error for row, error in found.errors.items()}
        return self._spread(found, fitting, len(rows), errors)

    def _explained(self, frame: pd.DataFrame, until: float) -> Explained:
        """Rows on which the model itself fails have its error, as when it predicts."""
        _, errors = predict_each(self._predict, frame)
        good = [row for row in range(len(frame)) if row not in errors]
        if not good:
            return self._spread(None, [], len(frame), errors)
        found = self._explainer.explain(frame.iloc[good].reset_index(drop=True), until)
        errors |= {good[row]: error for row, error in found.errors.items()}
        return self._spread(found, good, len(frame), errors)

    def _spread(
        self,
        found: Found | Explained | None,
        places: Sequence[int],
        rows: int,
        errors: Mapping[int, tuple[str, str]],
    ) -> Explained:
        """What was found of some rows as the explanation of all of them."""
        scorer = self._scorer
        explained = Explained(
            scorer.model,
            scorer.version,
            scorer.columns,
            np.full(rows, np.nan),
            np.full(rows, np.nan),
            np.full((rows, len(scorer.columns)), np.nan),
            errors,
            scorer.classes,
            np.full(rows, -1) if scorer.classes else None,
        )
        if found is not None:
            explained.values[places] = found.values
            explained.expected[places] = found.expected
            explained.attributions[places] = found.attributions
            if explained.labels is not None and found.labels is not None:
                explained.labels[places] = found.labels
        return explained


def _check_size(rows: int) -> None:
    if rows > MOST_ROWS:
        raise TooManyRowsError(
            f"expected at most {MOST_ROWS} rows to explain, found {rows}. Send them in parts."
        )
