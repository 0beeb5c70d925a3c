"""From the year's tables to calibrated models with honest metrics. Nothing here knows a registry.

The calendar: January to June to learn from, every fifth day of them kept apart to calibrate on (whole
days, so that flights of one storm are never on both sides); July and August to measure on; September
to December are left for the replay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from ekiben_flights.data import Year, label, landed, was_late
from ekiben_flights.features import NUMBERS, features
from ekiben_flights.models import MODELS
from ekiben_flights.plan import CALIBRATION_DAY, LEARN, MEASURE

_TYPICAL = 1_000


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of features and what became of them."""

    rows: pd.DataFrame
    late: pd.Series


@dataclass(frozen=True, slots=True)
class Split:
    """Three slices that share no day."""

    fit: Slice
    calibrate: Slice
    measure: Slice


@dataclass(frozen=True, slots=True)
class Trained:
    """A calibrated model, its metrics on the months it has not seen, and rows such as it takes.

    The first row is complete, to try it with; in the second all that may be missing is.
    """

    name: str
    model: CalibratedClassifierCV
    metrics: dict[str, float]
    params: dict[str, str]
    rows: pd.DataFrame


def split(year: Year) -> Split:
    """The three slices of the months before the replay."""
    flights = landed(year.flights)
    local = flights["local_at"].dt
    early, later = local.month.isin(LEARN), local.month.isin(MEASURE)
    apart = local.day_of_year % CALIBRATION_DAY == 0
    known = flights[early | later]
    rows, late = features(known, year), was_late(known)
    fit, calibrate, measure = (
        Slice(rows[mask[known.index]], late[mask[known.index]])
        for mask in (early & ~apart, early & apart, later)
    )
    return Split(fit, calibrate, measure)


def train(year: Year) -> Iterator[Trained]:
    """Each model in turn, so that one after the other can be let go."""
    slices = split(year)
    for name, build in MODELS.items():
        # one thread: a second one gains half a second on an idle machine, and on a busy one, where
        # OpenMP threads spin waiting for each other, costs half a minute
        with threadpool_limits(limits=1):
            trained = _fit(name, build(), slices)
        yield trained


def _fit(name: str, pipeline: Pipeline, slices: Split) -> Trained:
    pipeline.fit(slices.fit.rows, label(slices.fit.late))
    model = CalibratedClassifierCV(FrozenEstimator(pipeline), method="sigmoid")
    model.fit(slices.calibrate.rows, label(slices.calibrate.late))
    return Trained(
        name=name,
        model=model,
        metrics=measure(model, slices.measure),
        params=_params(pipeline, slices),
        rows=typical(slices.fit.rows),
    )


def measure(model: CalibratedClassifierCV, on: Slice) -> dict[str, float]:
    """Ranking (AUC) and calibration (Brier, log loss, mean against share) on a slice."""
    probability = model.predict_proba(on.rows)[:, 1]
    return {
        "auc": float(roc_auc_score(on.late, probability)),
        "brier": float(brier_score_loss(on.late, probability)),
        "log_loss": float(log_loss(on.late, probability)),
        "mean_probability": float(probability.mean()),
        "share_late": float(on.late.mean()),
    }


def typical(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that show every type and, in the second, all that may be missing."""
    complete = rows.dropna().head(1)
    sparse = complete.assign(**dict.fromkeys(NUMBERS, float("nan")))
    return pd.concat([complete, sparse, rows.head(_TYPICAL)], ignore_index=True)


def _params(pipeline: Pipeline, slices: Split) -> dict[str, str]:
    estimator = pipeline.steps[-1][1]
    return {
        "estimator": type(estimator).__name__,
        "rows_fit": str(len(slices.fit.rows)),
        "rows_calibrate": str(len(slices.calibrate.rows)),
        "rows_measure": str(len(slices.measure.rows)),
        **{name: str(value) for name, value in estimator.get_params().items() if value is not None},
    }
