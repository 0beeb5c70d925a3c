from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from ekiben_flights.data import Year, was_late
from ekiben_flights.features import SIGNATURE, features
from ekiben_flights.plan import LINEAR, TREES
from ekiben_flights.replay import chosen
from ekiben_flights.training import Split, Trained, split, train


@pytest.fixture(scope="module")
def slices(year: Year) -> Split:
    return split(year)


@pytest.fixture(scope="module")
def trained(year: Year) -> dict[str, Trained]:
    return {model.name: model for model in train(year)}


@pytest.fixture(scope="module")
def replayed(year: Year) -> tuple[pd.DataFrame, pd.Series]:
    flights = chosen(year, 4_000)
    return features(flights, year), was_late(flights)


def _days(year: Year, rows: pd.DataFrame) -> set[int]:
    return set(year.flights.loc[rows.index, "local_at"].dt.day_of_year)


def test_no_day_is_in_two_slices_nor_in_the_replay(year: Year, slices: Split) -> None:
    days = [_days(year, part.rows) for part in (slices.fit, slices.calibrate, slices.measure)]
    days.append(_days(year, chosen(year, 4_000)))

    assert all(days)
    assert sum(map(len, days)) == len(set.union(*days))


def test_measuring_comes_after_learning(year: Year, slices: Split) -> None:
    assert max(_days(year, slices.fit.rows)) < min(_days(year, slices.measure.rows))


@pytest.mark.parametrize("name", [TREES, LINEAR])
def test_a_model_ranks_flights_it_has_never_seen(
    name: str, trained: dict[str, Trained], replayed: tuple[pd.DataFrame, pd.Series]
) -> None:
    rows, late = replayed

    assert trained[name].metrics["auc"] > 0.7
    assert roc_auc_score(late, trained[name].model.predict_proba(rows)[:, 1]) > 0.7


@pytest.mark.parametrize("name", [TREES, LINEAR])
def test_a_model_is_better_calibrated_than_the_share_of_late_flights(
    name: str, trained: dict[str, Trained], replayed: tuple[pd.DataFrame, pd.Series]
) -> None:
    rows, late = replayed
    constant = np.full(len(late), late.mean())

    probability = trained[name].model.predict_proba(rows)[:, 1]

    assert brier_score_loss(late, probability) < 0.95 * brier_score_loss(late, constant)
    assert probability.mean() == pytest.approx(late.mean(), abs=0.05)


@pytest.mark.parametrize("name", [TREES, LINEAR])
def test_the_rows_of_a_model_show_what_may_be_missing(name: str, trained: dict[str, Trained]) -> None:
    rows = trained[name].rows

    assert rows.iloc[0].notna().all()
    missing = rows.isna().any()
    assert {spec.name for spec in SIGNATURE if not spec.required} == set(missing[missing].index)


@pytest.mark.parametrize("name", [TREES, LINEAR])
def test_late_is_the_positive_class(name: str, trained: dict[str, Trained]) -> None:
    assert list(trained[name].model.classes_) == ["in_time", "late"]


def test_the_models_differ(trained: dict[str, Trained], replayed: tuple[pd.DataFrame, pd.Series]) -> None:
    rows, _ = replayed
    trees, linear = (trained[name].model.predict_proba(rows)[:, 1] for name in (TREES, LINEAR))

    assert 0.02 < np.abs(trees - linear).mean() < 0.3


@pytest.mark.parametrize("name", [TREES, LINEAR])
def test_a_model_takes_a_row_with_nothing_but_what_is_required(
    name: str, trained: dict[str, Trained], replayed: tuple[pd.DataFrame, pd.Series]
) -> None:
    row = replayed[0].iloc[[0]].copy()
    row[row.select_dtypes("float64").columns] = np.nan
    row["dest"] = "NEW"

    assert 0 < trained[name].model.predict_proba(row)[0, 1] < 1
