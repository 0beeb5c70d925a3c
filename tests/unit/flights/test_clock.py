from __future__ import annotations

import pandas as pd
import pytest

from ekiben_flights.clock import block_minutes, clock_minutes


def test_a_clock_is_minutes_since_midnight() -> None:
    assert clock_minutes(pd.Series([0, 59, 100, 1545, 2400])).tolist() == [0, 59, 60, 945, 1440]


@pytest.mark.parametrize(
    ("departure", "arrival_clock", "zone", "minutes"),
    [
        ("2013-01-01T10:17Z", 830, "America/Chicago", 253),  # 05:17 in New York to 08:30 in Houston
        ("2013-01-02T03:00Z", 130, "America/New_York", 210),  # over midnight
        ("2013-07-01T13:00Z", 1430, "Pacific/Honolulu", 690),  # summer time in New York only
        ("2013-01-01T10:00Z", 500, "America/New_York", 0),
    ],
)
def test_block_time_follows_the_clocks_of_both_ends(
    departure: str, arrival_clock: int, zone: str, minutes: int
) -> None:
    start = pd.Series([pd.Timestamp(departure)])

    passed = block_minutes(start, clock_minutes(pd.Series([arrival_clock])), pd.Series([zone]))

    assert passed.tolist() == [minutes]


def test_a_flight_that_never_left_has_no_block_time() -> None:
    start = pd.Series([pd.NaT, pd.Timestamp("2013-01-01T10:00Z")]).dt.tz_convert("UTC")
    zone = pd.Series(["America/New_York"] * 2)

    passed = block_minutes(start, pd.Series([600.0, 360.0]), zone)

    assert passed.isna().tolist() == [True, False]
