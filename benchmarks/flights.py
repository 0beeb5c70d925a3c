"""The model that every side asks, and the rows they ask about: late flights by ten numbers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from ekiben_flights.data import label, landed, load, was_late
from ekiben_flights.features import features
from ekiben_flights.models import boosted_trees

MODEL: Final = "flight-delay-benchmark"
NUMBERS: Final = (
    "hour",
    "weekday",
    "distance",
    "scheduled_minutes",
    "temperature",
    "wind_speed",
    "visibility",
    "origin_departure_delay_3h",
    "carrier_departure_delay_6h",
    "dest_arrival_delay_6h",
)
LEARNED: Final = 60_000
ASKED: Final = 30_000


@dataclass(frozen=True)
class Trees:
    """Fitted boosted trees, and rows to ask about: float32, none missing, as raw bytes carry them."""

    fitted: HistGradientBoostingClassifier
    rows: pd.DataFrame
    entities: Sequence[str]

    @cached_property
    def asked(self) -> list[dict[str, float]]:
        """The rows as JSON has them, by their shortest text: 39.02, not 39.0200004577."""
        names = [str(name) for name in self.rows.columns]
        return [
            {name: float(str(value)) for name, value in zip(names, row, strict=True)}
            for row in self.rows.to_numpy()
        ]

    @cached_property
    def expected(self) -> np.ndarray:
        """What the model answers to each row: the probability that the flight is late."""
        with threadpool_limits(limits=1):
            return self.fitted.predict_proba(self.rows)[:, 1]


def train(columns: Sequence[str] = NUMBERS) -> Trees:
    """Fit the trees of the flights example on ten of its numbers: the later flights are what is asked."""
    year = load()
    flights = landed(year.flights)
    # evenly from the whole year: the features are point-in-time for any part of it
    some = flights.iloc[np.arange(2 * (LEARNED + ASKED)) * len(flights) // (2 * (LEARNED + ASKED))]
    rows = features(some, year)[list(columns)].astype("float32")
    rows = rows[rows.notna().all(axis="columns")].iloc[: LEARNED + ASKED]
    some = some.loc[rows.index]
    learned, asked = rows.iloc[:LEARNED], rows.iloc[LEARNED:]
    entities = some["carrier"].astype(str) + "-" + some["flight"].astype(str)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        trees: HistGradientBoostingClassifier = boosted_trees().steps[-1][1]
        trees.fit(learned, label(was_late(some.iloc[:LEARNED])))
    return Trees(trees, asked.reset_index(drop=True), list(entities.iloc[LEARNED:]))
