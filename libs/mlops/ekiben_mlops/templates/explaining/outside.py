"""Any model explained from the outside: what it answers when only some columns of a row are known.

The others are taken from the background, one row of it after the other, and the answers averaged.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from ekiben_mlops.templates.explaining.shapley import KERNEL_SAMPLES, kernel
from ekiben_mlops.templates.explaining.targets import Targets
from ekiben_serving.columnar import Array

MOST_PREDICTIONS: Final = 32_768
"""For one row, about: it bounds the background. A tenth of a second to half a second for common models."""
_MOST_CELLS: Final = 4_000_000
_KERNEL: Final = "kernel"


class KernelExplainer:
    """Attributions of one row at a time."""

    kind = _KERNEL

    def __init__(self, background: pd.DataFrame, targets: Targets) -> None:
        columns = background.shape[1]
        rows = max(1, MOST_PREDICTIONS // (2 * columns + KERNEL_SAMPLES))
        self._background = {name: background[name].to_numpy()[:rows] for name in background}
        self._rows = min(rows, len(background))
        self._targets = targets

    def explain(self, row: pd.DataFrame, output: int) -> tuple[Array, float]:
        """Of one output: the attribution of each column, and what they are added to."""
        return kernel(partial(self._score, row, output), row.shape[1])

    def _score(self, row: pd.DataFrame, output: int, known: Array) -> Array:
        at_a_time = max(1, _MOST_CELLS // (self._rows * row.shape[1]))
        parts = [known[start : start + at_a_time] for start in range(0, len(known), at_a_time)]
        return np.concatenate([self._means(row, output, part) for part in parts])

    def _means(self, row: pd.DataFrame, output: int, known: Array) -> Array:
        columns = {
            name: _mixed(known[:, place] > 0, row[name].to_numpy(), self._background[name])
            for place, name in enumerate(row)
        }
        answers = self._targets.of(pd.DataFrame(columns))[:, output]
        return answers.reshape(len(known), self._rows).mean(axis=1)


def _mixed(known: Array, value: Array, background: Array) -> Array:
    """A column for each line of `known`: the row's own value, or all of the background's."""
    own = np.repeat(value, len(background))
    return np.where(known[:, None], own[None, :], background[None, :]).ravel()
