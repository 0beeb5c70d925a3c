"""The later months as prediction requests, with what really happened beside them.

python -m ekiben_flights.replay --count 30000 --requests requests.jsonl --outcomes outcomes.jsonl
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from ekiben_contracts.event import FeatureValue
from ekiben_contracts.prediction import PredictionOutcomeObserved, PredictionRequested
from ekiben_flights.data import Year, label, landed, load, was_late
from ekiben_flights.feature_rows import entity_ids
from ekiben_flights.features import features
from ekiben_flights.plan import ENSEMBLE, REPLAY

_ROWS = 2_000


def chosen(year: Year, count: int) -> pd.DataFrame:
    """`count` flights, evenly spread over the months of the replay, in the order they are asked about.

    Raises:
        ValueError: there are not that many.
    """
    flights = landed(year.flights)
    flights = flights[flights["local_at"].dt.month.isin(REPLAY)]
    if not 1 <= count <= len(flights):
        raise ValueError(
            f"expected 1 to {len(flights)} requests, the flights that landed from September to December; "
            f"found {count}"
        )
    return flights.iloc[np.arange(count) * len(flights) // count]


def replay(
    year: Year, count: int, model: str, run: str = "", *, by_departure: bool = False
) -> Iterator[tuple[PredictionRequested, PredictionOutcomeObserved]]:
    """Each request with its outcome. The same count gives the same requests, ids included.

    A request id is never used twice, so a second replay into the same topics needs a `run`: it ends
    the ids, as in 2013-09-01-UA-1545-EWR@2. requested_at is left to the broker's clock: the question
    is asked now, though about 2013. `by_departure`: an entity is no flight number, but one departure, as
    the feature store knows it.
    """
    flights = chosen(year, count)
    numbers = flights["carrier"].astype(str) + "-" + flights["flight"].astype(str)
    entities = entity_ids(flights) if by_departure else numbers
    days = flights["local_at"].dt.strftime("%Y-%m-%d")
    ids = days + "-" + numbers + "-" + flights["origin"].astype(str) + (f"@{run}" if run else "")
    outcomes = label(was_late(flights))
    rows = _records(features(flights, year))
    for request_id, entity_id, row, outcome, arrived_at in zip(
        ids, entities, rows, outcomes, flights["arrived_at"], strict=True
    ):
        yield (
            PredictionRequested(request_id=request_id, model=model, entity_id=entity_id, features=row),
            PredictionOutcomeObserved(
                request_id=request_id,
                model=model,
                entity_id=entity_id,
                outcome=outcome,
                observed_at=arrived_at,
            ),
        )


def _records(rows: pd.DataFrame) -> Iterator[dict[str, FeatureValue]]:
    """Plain Python values as they stand in JSON; what is missing is null."""
    for start in range(0, len(rows), _ROWS):  # a dict for every row at once would be most of the memory
        part = rows.iloc[start : start + _ROWS]
        columns = part.astype("object").where(part.notna(), None)
        for row in columns.to_dict(orient="records"):
            yield {str(name): value for name, value in row.items()}


def main() -> None:
    """Write the files, a line each."""
    parser = argparse.ArgumentParser(prog="python -m ekiben_flights.replay", description=__doc__)
    parser.add_argument("--count", type=int, default=30_000)
    parser.add_argument("--model", default=ENSEMBLE)
    parser.add_argument("--run", default="", help="ends every request id, to tell this replay from others")
    parser.add_argument("--by-departure", action="store_true", help="name what the feature store knows")
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--outcomes", type=Path, required=True)
    options = parser.parse_args()
    try:
        pairs = replay(load(), options.count, options.model, options.run, by_departure=options.by_departure)
        _write(pairs, options.requests, options.outcomes)
    except ValueError as error:
        parser.error(str(error))


def _write(
    pairs: Iterator[tuple[PredictionRequested, PredictionOutcomeObserved]],
    requests_file: Path,
    outcomes_file: Path,
) -> None:
    with requests_file.open("wb") as requests, outcomes_file.open("wb") as outcomes:
        for request, outcome in pairs:
            requests.write(request.model_dump_json(exclude_defaults=True).encode() + b"\n")
            outcomes.write(outcome.model_dump_json(exclude_defaults=True).encode() + b"\n")


if __name__ == "__main__":
    main()
