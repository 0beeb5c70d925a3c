"""How a causal model answers: the effect of the treatment on each row, and the interval of that effect."""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np
import pandas as pd

from ekiben_mlops.templates.predicting import Predict, Scores
from ekiben_serving.columnar import Array

COVERAGE: Final = 0.9


class CausalModel(Protocol):
    """What the template needs, such as econml's LinearDML: effects of treatment against none."""

    def effect(self, X: pd.DataFrame, /) -> Array: ...  # noqa: N803 - econml's name
    def effect_interval(self, X: pd.DataFrame, /, *, alpha: float) -> tuple[Array, Array]: ...  # noqa: N803


def predictor(model: CausalModel) -> Predict:
    """One outcome and one treatment: an effect a row."""
    link(model)

    def predict(frame: pd.DataFrame) -> Scores:
        low, high = model.effect_interval(frame, alpha=1 - COVERAGE)
        values = np.asarray(model.effect(frame), float)
        intervals = np.column_stack([np.ravel(low), np.ravel(high)])
        return Scores(values.reshape(-1) if values.size == len(frame) else values, intervals=intervals)

    return predict


def link(model: Any) -> None:
    """Give econml's inference back the estimator that logging took from it: skops cannot write a circle."""
    inference = getattr(model, "_inference", None)
    if inference is not None and getattr(inference, "_est", model) is None:
        inference._est = model  # noqa: SLF001 - nothing public holds it; see ekiben_mlops.causal_models
