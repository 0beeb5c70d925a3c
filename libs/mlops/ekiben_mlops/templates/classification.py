"""How a classifier answers: the class of the highest probability, and all of them."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import pandas as pd

from ekiben_mlops.templates.predicting import Predict, Scores
from ekiben_serving.columnar import Array

_TWO: Final = 2


class Classifier(Protocol):
    """What the template needs of a model."""

    def predict_proba(self, X: pd.DataFrame, /) -> Array: ...  # noqa: N803 - scikit-learn's name


def predictor(model: Classifier) -> Predict:
    """The value is the probability of the second class where there are two, else of the winning one."""

    def predict(frame: pd.DataFrame) -> Scores:
        probabilities = np.asarray(model.predict_proba(frame), float)
        labels = probabilities.argmax(axis=1)
        winning = probabilities.max(axis=1)
        return Scores(
            probabilities[:, 1] if probabilities.shape[1] == _TWO else winning, labels, probabilities
        )

    return predict
