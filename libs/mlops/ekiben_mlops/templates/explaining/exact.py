"""The exact explainers, for trees and linear models inside pipelines and calibration.

shap attributes the score that an estimator computes, such as log-odds, to the columns it sees. Here those
are added up to the columns of the signature, and carried through the link to what the model answers.
"""

from __future__ import annotations

import logging
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from scipy.special import expit

from ekiben_mlops.templates.explaining.parts import Link, Parts, parts_of
from ekiben_mlops.templates.explaining.shapley import Attribute, Attributions, linear, tree
from ekiben_mlops.templates.explaining.sources import Sources, sources_of
from ekiben_mlops.templates.explaining.targets import Targets
from ekiben_serving.columnar import Array

log = logging.getLogger(__name__)

_RELATIVE: Final = 1e-4
_ABSOLUTE: Final = 1e-6
"""XGBoost and LightGBM compute in floats of 32 bits."""
_AT_THE_CENTRE: Final = 1e-5


class ExactExplainer:
    """Attributions of a whole frame at once."""

    def __init__(
        self, kind: str, prepare: Any, sources: Sources, columns: int, attribute: Attribute, link: Link | None
    ) -> None:
        self.kind = kind
        self._prepare = prepare
        self._sources = sources
        self._columns = columns
        self._attribute = attribute
        self._link = link

    def attribute(self, frame: pd.DataFrame) -> Attributions:
        """Of the scores of rows to the columns of the signature."""
        found = self._attribute(prepared(self._prepare, frame))
        summed = np.zeros((len(frame), self._columns, found.values.shape[2]))
        for place, source in enumerate(self._sources):
            summed[:, source] += found.values[:, place]
        return Attributions(summed, found.expected)

    def explain(self, frame: pd.DataFrame, targets: Array) -> Attributions:
        """Of the targets (rows by outputs): values, expected, both in units of what the model answers."""
        found = self.attribute(frame)
        return found if self._link is None else _through(self._link, found, targets)


def exact_explainer(model: Any, background: pd.DataFrame, targets: Targets) -> ExactExplainer | None:
    """The one whose attributions add up to what the model answers to the background; None: there is none."""
    parts = parts_of(model)
    sources = None if parts is None else sources_of(parts.prepare, list(background.columns))
    if parts is None or sources is None:
        return None
    wanted = targets.of(background)
    try:
        kind, attribute = _attribute(parts, background, wanted.shape[1])
        for link in _links(parts):
            explainer = ExactExplainer(kind, parts.prepare, sources, background.shape[1], attribute, link)
            if _adds_up(explainer, link, background, wanted):
                return explainer
    except Exception:
        log.info("no exact explainer for %s", type(parts.estimator).__name__, exc_info=True)
    return None


def prepared(prepare: Any, frame: pd.DataFrame) -> Array:
    """What the estimator sees of rows."""
    found: Any = frame if prepare is None else prepare.transform(frame)
    return np.asarray(found.toarray() if issparse(found) else found, float)


def _attribute(parts: Parts, background: pd.DataFrame, outputs: int) -> tuple[str, Attribute]:
    if hasattr(parts.estimator, "coef_"):
        return "linear", linear(parts.estimator, prepared(parts.prepare, background))
    attribute = tree(parts.estimator)
    return "tree", lambda rows: _last(attribute(rows), outputs)


def _last(found: Attributions, outputs: int) -> Attributions:
    """Of two classes forests have both probabilities, and the second is the one that is wanted."""
    return Attributions(found.values[..., -outputs:], found.expected[-outputs:])


def _links(parts: Parts) -> tuple[Link | None, ...]:
    """What may stand between score and answer: nothing, or log-odds, and then the calibration."""
    calibrate = parts.calibrate
    if calibrate is None:
        return None, expit
    return calibrate, lambda scores: calibrate(expit(scores))


def _adds_up(explainer: ExactExplainer, link: Link | None, background: pd.DataFrame, wanted: Array) -> bool:
    found = explainer.attribute(background)
    if found.scores.shape != wanted.shape:
        return False
    return np.allclose(_linked(link, found.scores), wanted, rtol=_RELATIVE, atol=_ABSOLUTE)


def _linked(link: Link | None, scores: Array) -> Array:
    return scores if link is None else np.asarray(link(scores.ravel()), float).reshape(scores.shape)


def _through(link: Link, found: Attributions, targets: Array) -> Attributions:
    """Each attribution in proportion: what the score moved by became what the answer moved by.

    Source: the rescale rule of Chen, Lundberg and Lee, "Explaining a series of models by propagating
    Shapley values" (2022). A link that rises keeps every sign.
    """
    expected = _linked(link, found.expected)
    moved = found.scores - found.expected
    near = np.abs(moved) < _AT_THE_CENTRE
    slope = (
        _linked(link, found.expected + _AT_THE_CENTRE) - _linked(link, found.expected - _AT_THE_CENTRE)
    ) / (2 * _AT_THE_CENTRE)
    ratio = np.where(near, slope, (targets - expected) / np.where(near, 1.0, moved))
    return Attributions(found.values * ratio[:, None, :], expected)
