"""A fitted model taken apart: what prepares its columns, the estimator, and what calibrates its score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from ekiben_serving.columnar import Array

Link = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Parts:
    """`prepare` is None where the estimator sees the columns themselves, `calibrate` where it is believed."""

    prepare: Pipeline | None
    estimator: Any
    calibrate: Link | None


def parts_of(model: Any) -> Parts | None:
    """None for what is put together in another way: an ensemble of several, a target that is transformed."""
    match model:
        case FrozenEstimator():
            return parts_of(model.estimator)
        case CalibratedClassifierCV():
            return _of_calibrated(model)
        case Pipeline():
            last = parts_of(model.steps[-1][1])
            if last is None or last.prepare is not None or len(model.steps) == 1:
                return last
            return Parts(model[:-1], last.estimator, last.calibrate)
        case _ if hasattr(model, "estimators_") and hasattr(model, "named_estimators_"):
            return None
        case _:
            return Parts(None, model, None)


def _of_calibrated(model: CalibratedClassifierCV) -> Parts | None:
    """Of two classes, calibrated once: one calibrator from score to probability."""
    each: list[Any] = list(model.calibrated_classifiers_)
    if len(each) != 1:
        return None
    (once,) = each
    inner = parts_of(once.estimator)
    if inner is None or inner.calibrate is not None or len(once.calibrators) != 1:
        return None
    return Parts(inner.prepare, inner.estimator, once.calibrators[0].predict)
