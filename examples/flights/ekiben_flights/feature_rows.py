"""What the feature store of the flights holds: the features of the replay's flights, by what they are about.

A live store keeps the latest value of each carrier, route, plane and airport. The replay asks about four
months within seconds, so what changes with time is kept by the moment it is asked about, too: each value is
what was known two hours before the departure, as in `features`, and nothing later can leak into it. Only
whoever asks knows which flight, when, and in which plane: the entity_id says it, and brings no feature.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import pandas as pd

from ekiben_flights.data import Year
from ekiben_flights.features import PLANE, WEATHER, features

ENTITY_ID: Final = "{carrier}-{flight}-{origin}-{dest}-{tail}-{moment}"
"""Such as UA-1545-EWR-IAH-N14228-20130901T1315: the timetable's flight, its plane, its departure in UTC."""

EVENT_TIME: Final = "known_at"
_NO_TAIL: Final = "unknown"
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """A feature view: by which keys, what it holds, and for how long that may be used (None: for ever)."""

    keys: tuple[str, ...]
    features: tuple[str, ...]
    ttl: timedelta | None


VIEWS: Final[Mapping[str, ViewPlan]] = {
    "airports": ViewPlan(("origin", "moment"), (*WEATHER, "origin_departure_delay_3h"), _DAY),
    "destinations": ViewPlan(("dest", "moment"), ("dest_arrival_delay_6h",), _DAY),
    "carriers": ViewPlan(
        ("carrier", "origin", "moment"), ("carrier_departure_delay_6h", "carrier_arrival_delay_7d"), _DAY
    ),
    "routes": ViewPlan(("origin", "dest", "moment"), ("distance", "route_arrival_delay_14d"), _DAY),
    "timetable": ViewPlan(
        ("carrier", "flight", "origin", "moment"),
        ("hour", "weekday", "scheduled_minutes", "flight_arrival_delay_30d"),
        _DAY,
    ),
    "planes": ViewPlan(("tail",), PLANE, None),
}


def entity_ids(flights: pd.DataFrame) -> pd.Series:
    """Whom a request is about, as ENTITY_ID writes it."""
    keys = _keys(flights)
    ids = keys["carrier"]
    for name in ("flight", "origin", "dest", "tail", "moment"):
        ids = ids + "-" + keys[name]
    return ids


def view_rows(flights: pd.DataFrame, year: Year, written_at: datetime) -> Mapping[str, pd.DataFrame]:
    """The rows of each view that these flights need: keys, features, and when they were written.

    An entity whose features are unknown, such as a plane in no register, has a row of nulls.
    """
    keys, rows = _keys(flights), features(flights, year)
    together = pd.concat([rows, keys.drop(columns=[name for name in keys if name in rows])], axis=1)
    return {
        name: together[[*plan.keys, *plan.features]]
        .drop_duplicates(list(plan.keys), ignore_index=True)
        .assign(**{EVENT_TIME: pd.Timestamp(written_at)})
        for name, plan in VIEWS.items()
    }


def _keys(flights: pd.DataFrame) -> pd.DataFrame:
    texts = {name: flights[name].astype("str") for name in ("carrier", "flight", "origin", "dest")}
    tail = flights["tail"].astype("object").where(flights["tail"].notna(), _NO_TAIL)
    moment = flights["scheduled_at"].dt.strftime("%Y%m%dT%H%M")
    return pd.DataFrame({**texts, "tail": tail.astype("str"), "moment": moment}, index=flights.index)
