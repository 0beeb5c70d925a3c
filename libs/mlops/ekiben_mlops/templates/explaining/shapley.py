"""The one module over shap: attributions of scores to the columns that an estimator sees.

shap takes a second and 120 MB to import, so it is imported where an explainer is made.
Source: Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions" (2017).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

import numpy as np

from ekiben_serving.columnar import Array

KERNEL_SAMPLES: Final = 512
"""Subsets of columns tried for a row, beside those of one column: all of them up to nine columns."""


class Attributions(NamedTuple):
    """`values` (rows by columns by outputs) and `expected` (outputs) add up to the scores."""

    values: Array
    expected: Array

    @property
    def scores(self) -> Array:
        """What they add up to: rows by outputs."""
        return self.values.sum(axis=1) + self.expected


Attribute = Callable[[Array], Attributions]
"""Attributes the scores of rows, as an estimator sees them."""


def is_installed() -> bool:
    """Whether anything can be explained here."""
    return find_spec("shap") is not None


def tree(estimator: Any) -> Attribute:
    """Exact for trees (Lundberg et al., "From local explanations to global understanding", 2020).

    Raises:
        Exception: shap knows no such trees; of which class is shap's secret.
    """
    import shap  # noqa: PLC0415 - see above

    explainer = shap.TreeExplainer(estimator, feature_perturbation="tree_path_dependent")

    def attribute(rows: Array) -> Attributions:
        # that they add up is checked once, and against the model itself: see exact.py
        return _shaped(explainer.shap_values(rows, check_additivity=False), explainer.expected_value)

    return attribute


def linear(estimator: Any, background: Array) -> Attribute:
    """Exact for linear scores: coefficients times the distance from the background's mean."""
    import shap  # noqa: PLC0415 - see above

    explainer = shap.LinearExplainer(estimator, background)

    def attribute(rows: Array) -> Attributions:
        return _shaped(explainer.shap_values(rows), explainer.expected_value)

    return attribute


def kernel(score: Callable[[Array], Array], columns: int) -> tuple[Array, float]:
    """One row of any model: its attributions, and the score that they are added to.

    `score` is given which columns are known, 1 or 0, and returns the score for each such line.
    """
    import shap  # noqa: PLC0415 - see above

    with _repeatable():
        explainer = shap.KernelExplainer(score, np.zeros((1, columns)))
        values = explainer.shap_values(
            np.ones((1, columns)), nsamples=2 * columns + KERNEL_SAMPLES, l1_reg=False, silent=True
        )
    return np.asarray(values, float).reshape(columns), float(np.ravel(explainer.expected_value)[0])


def importance(attributions: Array, names: Sequence[str]) -> Mapping[str, float]:
    """Global importance: each column's share of all that was moved, the largest first. They sum to 1."""
    moved = np.abs(attributions).mean(axis=0) if len(attributions) else np.zeros(len(names))
    shares = moved / total if (total := moved.sum()) > 0 else moved
    return _by_size(dict(zip(names, shares.tolist(), strict=True)))


def instance(attributions: Array, names: Sequence[str]) -> Mapping[str, float]:
    """One row explained: what moved it most first."""
    return _by_size(dict(zip(names, attributions.tolist(), strict=True)))


def _by_size(found: Mapping[str, float]) -> Mapping[str, float]:
    return {name: found[name] for name in sorted(found, key=lambda name: -abs(found[name]))}


def _shaped(values: Any, expected: Any) -> Attributions:
    """shap has one array for one output, with a third axis for several, and an expected value or several."""
    found, each = np.asarray(values, float), np.ravel(np.asarray(expected, float))
    return Attributions(found.reshape(*found.shape[:2], -1), each)


@contextmanager
def _repeatable() -> Iterator[None]:
    """The same row gets the same explanation: shap draws from numpy's global state and takes no other."""
    before = np.random.get_state()
    np.random.seed(0)
    try:
        yield
    finally:
        np.random.set_state(before)
