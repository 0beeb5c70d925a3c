from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ekiben_contracts.models import DType
from ekiben_flights.data import Year
from ekiben_flights.features import HISTORY, NUMBERS, REQUEST_LEAD, SIGNATURE, features

MOMENT = pd.Timestamp("2013-03-14T18:00Z")


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def _shuffled(year: Year, *, after: bool) -> Year:
    """The year with what became known after (or before) MOMENT dealt out anew among its flights."""
    rng = np.random.default_rng(0)
    flights = year.flights.copy()
    for columns in (["departed_at", "departure_delay"], ["arrived_at", "arrival_delay"]):
        chosen = np.flatnonzero((flights[columns[0]] >= MOMENT) if after else (flights[columns[0]] < MOMENT))
        for column in columns:
            values = flights[column].to_numpy(copy=True)
            values[chosen] = values[rng.permutation(chosen)]
            flights[column] = pd.Series(values, index=flights.index).astype(flights[column].dtype)
    weather = year.weather.copy()
    weather.loc[(weather["known_at"] > MOMENT) == after, "temperature"] = -99.0
    return replace(year, flights=flights, weather=weather)


@pytest.fixture(scope="module")
def asked_by_the_moment(year: Year) -> pd.DataFrame:
    asked_at = year.flights["scheduled_at"] - REQUEST_LEAD
    return year.flights[(asked_at <= MOMENT) & (asked_at > MOMENT - pd.Timedelta(days=2))]


def test_the_future_changes_nothing(year: Year, asked_by_the_moment: pd.DataFrame) -> None:
    other = _shuffled(year, after=True)

    assert_same(features(asked_by_the_moment, other), features(asked_by_the_moment, year))


def test_the_past_changes_every_history(year: Year, asked_by_the_moment: pd.DataFrame) -> None:
    """So that the test above cannot pass on features that look at nothing."""
    before = features(asked_by_the_moment, year)
    after = features(asked_by_the_moment, _shuffled(year, after=False))

    changed = [name for name in before if not before[name].equals(after[name])]
    assert changed == ["temperature", *HISTORY]


def test_what_became_of_a_flight_is_none_of_its_features(year: Year, some_flights: pd.DataFrame) -> None:
    flights = year.flights.copy()
    flights.loc[some_flights.index, ["departure_delay", "arrival_delay"]] = 9_999.0

    assert_same(features(some_flights, replace(year, flights=flights)), features(some_flights, year))


def test_one_flight_at_a_time_gives_the_same_as_all_at_once(year: Year, some_flights: pd.DataFrame) -> None:
    one_by_one = pd.concat([features(some_flights.iloc[[i]], year) for i in range(len(some_flights))])

    assert_same(one_by_one, features(some_flights, year))


def test_a_history_is_the_mean_of_what_had_landed(year: Year, some_flights: pd.DataFrame) -> None:
    flight = some_flights.iloc[10]
    asked_at = flight["scheduled_at"] - REQUEST_LEAD
    flights = year.flights
    landed_before = flights[
        (flights["carrier"] == flight["carrier"])
        & (flights["arrived_at"] < asked_at)
        & (flights["arrived_at"] > asked_at - pd.Timedelta(days=7))
        & flights["arrival_delay"].notna()
    ]

    found = features(some_flights, year)["carrier_arrival_delay_7d"].iloc[10]

    assert len(landed_before) > 50
    assert found == pytest.approx(landed_before["arrival_delay"].astype(float).mean(), abs=0.005)


def test_the_columns_are_those_of_the_signature(year: Year, some_flights: pd.DataFrame) -> None:
    rows = features(some_flights, year)

    assert list(rows) == [spec.name for spec in SIGNATURE]
    kinds = {"string": DType.STRING, "int64": DType.LONG, "float64": DType.DOUBLE}
    assert [kinds[_kind(rows[name])] for name in rows] == [spec.dtype for spec in SIGNATURE]


def _kind(column: pd.Series) -> str:
    """What its values are: before pandas 3 text has no dtype of its own."""
    is_text = pd.api.types.infer_dtype(column, skipna=False) == "string"
    return "string" if is_text else str(column.dtype)


def test_only_what_may_be_missing_is_missing(year: Year, some_flights: pd.DataFrame) -> None:
    missing = features(some_flights, year).isna().any()

    assert missing.any()
    assert set(missing[missing].index) <= set(NUMBERS)
