"""From the local clocks of a timetable to minutes that passed."""

from __future__ import annotations

import pandas as pd

_DAY = 24 * 60


def clock_minutes(hhmm: pd.Series) -> pd.Series:
    """Minutes since midnight of a time written as a number, such as 1545."""
    return hhmm // 100 * 60 + hhmm % 100


def block_minutes(start: pd.Series, arrival_clock: pd.Series, zone: pd.Series) -> pd.Series:
    """Minutes from `start` (UTC) until a clock in `zone` shows `arrival_clock`; null stays null.

    No flight takes a day, so the first such moment is the one. An arrival within the hours after a
    change to or from summer time is an hour off: two nights of the year, when next to nothing flies.
    """
    minutes = pd.Series(float("nan"), index=start.index)
    for name, here in start.groupby(zone):
        local = here.dt.tz_convert(name)
        left = local.dt.hour * 60 + local.dt.minute
        minutes[here.index] = (arrival_clock[here.index] - left) % _DAY
    return minutes
