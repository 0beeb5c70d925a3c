"""What had already happened to others when a question was asked: trailing means, point-in-time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Codes = npt.NDArray[np.int64]
Seconds = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Happened:
    """Facts about groups: each a `value` in whole minutes, known from `known_at` (seconds) on."""

    group: Codes
    known_at: Seconds
    value: npt.NDArray[np.int64]


def trailing_mean(
    happened: Happened, group: Codes, asked_at: Seconds, window: pd.Timedelta, *, at_least: int = 1
) -> npt.NDArray[np.float64]:
    """The mean value of the group over (asked_at - window, asked_at), both ends open.

    NaN where fewer than `at_least` facts were known. A fact of the very second of asking is not
    used: it may not have reached whoever asks.
    """
    # one sorted line of (group, time): a group's window is a slice of it, its sum a difference
    span = 1 + int(max(happened.known_at.max(initial=0), asked_at.max(initial=0)))
    line = happened.group * span + happened.known_at
    order = np.argsort(line, kind="stable")
    line = line[order]
    totals = np.concatenate([[0], np.cumsum(happened.value[order])])
    width = int(window.total_seconds())
    start = np.searchsorted(line, group * span + np.maximum(asked_at - width, -1), side="right")
    stop = np.searchsorted(line, group * span + asked_at, side="left")
    count = np.maximum(stop - start, 0)
    total = totals[np.maximum(stop, start)] - totals[start]
    return np.where(count >= at_least, total / np.maximum(count, 1), np.nan)
