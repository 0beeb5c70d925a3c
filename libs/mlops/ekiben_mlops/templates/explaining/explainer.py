"""The explainer of one model: the exact one for its algorithm where there is one, else the kernel."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from ekiben_mlops.templates.explaining.exact import exact_explainer
from ekiben_mlops.templates.explaining.outside import KernelExplainer
from ekiben_mlops.templates.explaining.shapley import importance, is_installed
from ekiben_mlops.templates.explaining.targets import Targets, classes_of, outputs_of, targets_of
from ekiben_mlops.templates.predicting import Predict, checked_scores
from ekiben_serving.columnar import Array

_IMPORTANCE_S: Final = 1.0
_NO_TIME: Final = (
    "internal",
    "expected time for an explanation, found none left. Ask for fewer rows, or give it longer.",
)


class Explained(NamedTuple):
    """By row: the value, what is expected of it, the attributions that lie between, and the class."""

    values: Array
    expected: Array
    attributions: Array
    labels: Array | None
    errors: Mapping[int, tuple[str, str]]


class ExplainerError(LookupError):
    """Nothing can be explained here; the message says why."""


class Explainer:
    """Says what moved the answers of a model. `kind` is tree, linear or kernel."""

    def __init__(
        self,
        model: Any,
        predict: Predict,
        background: pd.DataFrame,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`background` are rows that it was trained on: what a row looks like of which nothing is known.

        Raises:
            ExplainerError: shap is not installed.
        """
        if not is_installed():
            raise ExplainerError("expected shap beside the model, found none. Install ekiben-mlops[shap].")
        targets = Targets(predict)
        self._predict = predict
        self._clock = clock
        self._exact = exact_explainer(model, background, targets)
        self._kernel = KernelExplainer(background, targets)
        self.kind = self._kernel.kind if self._exact is None else self._exact.kind
        found = self.explain(background, clock() + _IMPORTANCE_S)
        told = [row for row in range(len(background)) if row not in found.errors]
        self.importance = importance(found.attributions[told], list(background.columns))

    def explain(self, frame: pd.DataFrame, until: float) -> Explained:
        """Each row of a frame that the model can answer; by the clock no row is begun after `until`."""
        scores = checked_scores(self._predict, frame)
        outputs, rows = outputs_of(scores), range(len(frame))
        if self._exact is not None:
            found = self._exact.explain(frame, targets_of(scores))
            attributions, expected = found.values[rows, :, outputs], found.expected[outputs]
            return Explained(scores.values, expected, attributions, classes_of(scores), {})
        attributions, expected = np.full(frame.shape, np.nan), np.full(len(frame), np.nan)
        late: dict[int, tuple[str, str]] = {}
        longest = 0.0
        for row in rows:
            began = self._clock()
            if began + longest >= until:
                late[row] = _NO_TIME
                continue
            attributions[row], expected[row] = self._kernel.explain(
                frame.iloc[row : row + 1], int(outputs[row])
            )
            longest = max(longest, self._clock() - began)
        return Explained(scores.values, expected, attributions, classes_of(scores), late)
