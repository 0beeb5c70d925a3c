"""What could be known about a flight two hours before its schedule, and nothing more.

A question is asked REQUEST_LEAD before the scheduled departure. Every column is either in the
timetable, or was measured, departed or landed before that moment. The tail number is taken as
assigned by then (rotations are planned a day ahead; a late swap of aircraft is not recorded).
The month is left out on purpose: models that saw only half a year would have to invent the rest.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from ekiben_contracts.models import DType, FeatureSpec
from ekiben_flights.data import Year
from ekiben_flights.history import Codes, Happened, Seconds, trailing_mean

REQUEST_LEAD: Final = pd.Timedelta(hours=2)
_STALE_WEATHER: Final = pd.Timedelta(hours=3)

TEXTS: Final = ("carrier", "origin", "dest")
WHOLES: Final = ("hour", "weekday", "distance", "scheduled_minutes")
WEATHER: Final = ("temperature", "humidity", "wind_speed", "precipitation", "pressure", "visibility")
PLANE: Final = ("plane_age", "plane_seats")
# name: (grouped by, what happened, over the last)
HISTORY: Final = {
    "origin_departure_delay_3h": (("origin",), "departure", pd.Timedelta(hours=3)),
    "carrier_departure_delay_6h": (("carrier", "origin"), "departure", pd.Timedelta(hours=6)),
    "dest_arrival_delay_6h": (("dest",), "arrival", pd.Timedelta(hours=6)),
    "carrier_arrival_delay_7d": (("carrier",), "arrival", pd.Timedelta(days=7)),
    "route_arrival_delay_14d": (("origin", "dest"), "arrival", pd.Timedelta(days=14)),
    "flight_arrival_delay_30d": (("carrier", "flight"), "arrival", pd.Timedelta(days=30)),
}
NUMBERS: Final = (*WEATHER, *PLANE, *HISTORY)

SIGNATURE: Final = (
    *(FeatureSpec(name=name, dtype=DType.STRING) for name in TEXTS),
    *(FeatureSpec(name=name, dtype=DType.LONG) for name in WHOLES),
    *(FeatureSpec(name=name, dtype=DType.DOUBLE, required=False) for name in NUMBERS),
)
"""The columns of a model's input. The doubles may be null: no measurement, no history, no such plane."""


def features(flights: pd.DataFrame, year: Year) -> pd.DataFrame:
    """The features of these flights of the year, one row each, in the order of SIGNATURE."""
    asked_at = flights["scheduled_at"] - REQUEST_LEAD
    local = flights["local_at"].dt
    columns = {
        **{name: flights[name].astype("str") for name in TEXTS},
        "hour": local.hour.astype("int64"),
        "weekday": local.day_of_week.astype("int64"),
        "distance": flights["distance"].astype("int64"),
        "scheduled_minutes": flights["scheduled_minutes"].astype("int64"),
        **_weather(flights["origin"], asked_at, year.weather),
        **_plane(flights, year.planes),
        **_history(flights, _seconds(asked_at), year.flights),
    }
    return pd.DataFrame(columns, index=flights.index)[[spec.name for spec in SIGNATURE]]


def _weather(origin: pd.Series, asked_at: pd.Series, weather: pd.DataFrame) -> dict[str, pd.Series]:
    """The latest measurement at the origin, unless it is stale."""
    asked = pd.DataFrame({"origin": origin.astype("str"), "known_at": asked_at, "row": origin.index})
    latest = pd.merge_asof(
        asked.sort_values("known_at", kind="stable"),
        weather,
        on="known_at",
        by="origin",
        tolerance=_STALE_WEATHER,
    ).set_index("row")
    return {name: latest[name].reindex(origin.index) for name in WEATHER}


def _plane(flights: pd.DataFrame, planes: pd.DataFrame) -> dict[str, pd.Series]:
    tail = flights["tail"].astype("object")
    year = flights["local_at"].dt.year
    return {"plane_age": year - tail.map(planes["built"]), "plane_seats": tail.map(planes["seats"])}


def _history(flights: pd.DataFrame, asked_at: Seconds, year: pd.DataFrame) -> dict[str, np.ndarray]:
    columns: dict[str, np.ndarray] = {}
    for name, (by, what, window) in HISTORY.items():
        happened = _happened(year, by, what)
        columns[name] = trailing_mean(happened, _codes(flights, by), asked_at, window).round(2)
    return columns


def _happened(year: pd.DataFrame, by: tuple[str, ...], what: str) -> Happened:
    """The departures or arrivals of the year with their delay, known when they took place."""
    known = year[year[f"{what}_delay"].notna()]
    at = known["departed_at" if what == "departure" else "arrived_at"]
    return Happened(_codes(known, by), _seconds(at), known[f"{what}_delay"].to_numpy(np.int64))


def _codes(flights: pd.DataFrame, by: tuple[str, ...]) -> Codes:
    """One number for each combination of values."""
    code = np.zeros(len(flights), np.int64)
    for name in by:
        column = flights[name]
        values = column.cat.codes if isinstance(column.dtype, pd.CategoricalDtype) else column
        code = code * 10_000 + values.to_numpy(np.int64)
    return code


def _seconds(at: pd.Series) -> Seconds:
    return at.to_numpy("datetime64[s]").astype(np.int64)
