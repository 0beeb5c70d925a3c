from __future__ import annotations

import pandas as pd

from ekiben_flights.data import Year, label, landed, was_late


def test_every_flight_of_the_year_is_there(year: Year) -> None:
    assert len(year.flights) == 336_776


def test_cancelled_and_diverted_flights_have_no_outcome(year: Year) -> None:
    flights = landed(year.flights)

    assert len(flights) == 327_346
    assert flights[["departed_at", "arrived_at", "departure_delay"]].notna().all(axis=None)


def test_a_delay_is_the_distance_of_two_moments(year: Year) -> None:
    flights = landed(year.flights)
    scheduled_arrival = flights["scheduled_at"] + pd.to_timedelta(flights["scheduled_minutes"], unit="min")
    minutes = (flights["arrived_at"] - scheduled_arrival).dt.total_seconds() / 60

    # the clocks of both ends and the recorded delay agree but for a handful of flights
    assert (minutes == flights["arrival_delay"]).mean() > 0.999


def test_a_flight_arrives_after_it_departs_and_within_half_a_day(year: Year) -> None:
    flights = landed(year.flights)
    hours = (flights["arrived_at"] - flights["departed_at"]).dt.total_seconds() / 3600

    assert hours.min() > 0.3
    assert hours.max() < 13


def test_late_is_more_than_fifteen_minutes() -> None:
    flights = pd.DataFrame({"arrival_delay": [-20.0, 15.0, 16.0]})

    assert label(was_late(flights)).tolist() == ["in_time", "in_time", "late"]


def test_weather_is_known_only_after_the_hour_it_is_named_by(year: Year) -> None:
    first = year.weather[year.weather["origin"] == "EWR"].iloc[0]

    assert first["known_at"] == pd.Timestamp("2013-01-01T07:00Z")  # named 01:00 in New York
    assert first["temperature"] == 39.02


def test_an_impossible_wind_is_no_measurement(year: Year) -> None:
    assert year.weather["wind_speed"].max() < 200
