"""How a regression answers: one number."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd

from ekiben_mlops.templates.predicting import Predict, Scores
from ekiben_serving.columnar import Array


class Regressor(Protocol):
    """What the template needs of a model."""

    def predict(self, X: pd.DataFrame, /) -> Array: ...  # noqa: N803 - scikit-learn's name


def predictor(model: Regressor) -> Predict:
    """A target of one column counts as the column."""

    def predict(frame: pd.DataFrame) -> Scores:
        values = np.asarray(model.predict(frame), float)
        return Scores(values.reshape(-1) if values.size == len(frame) else values)

    return predict
