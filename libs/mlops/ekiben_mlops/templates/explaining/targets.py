"""What of a model's answers is explained: its value, or of many classes the probability of each. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from ekiben_mlops.templates.predicting import Predict, Scores
from ekiben_serving.columnar import Array

_TWO: Final = 2


@dataclass(frozen=True, slots=True)
class Targets:
    """Rows by outputs: one, or where there are more than two classes one for each."""

    predict: Predict

    def of(self, frame: pd.DataFrame) -> Array:
        """What the model answers to rows."""
        return targets_of(self.predict(frame))


def targets_of(scores: Scores) -> Array:
    """The value itself, but of more than two classes all probabilities."""
    if scores.probabilities is None or scores.probabilities.shape[1] <= _TWO:
        return np.asarray(scores.values, float)[:, None]
    return scores.probabilities


def outputs_of(scores: Scores) -> Array:
    """Which of the targets the value of each row is."""
    one = scores.probabilities is None or scores.probabilities.shape[1] <= _TWO or scores.labels is None
    return np.zeros(len(scores.values), int) if one else np.asarray(scores.labels, int)


def classes_of(scores: Scores) -> Array | None:
    """Which class the value of each row is about: of two the second, of more the winning one."""
    if scores.probabilities is None or scores.labels is None:
        return None
    if scores.probabilities.shape[1] == _TWO:
        return np.ones(len(scores.values), int)
    return np.asarray(scores.labels, int)
