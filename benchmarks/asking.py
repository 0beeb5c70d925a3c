"""The requests, the same for every side, and the right answer to each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pandas as pd

from ekiben_contracts.cloudevents import encode
from ekiben_contracts.prediction import PredictionRequested


class Ask(NamedTuple):
    """One record of the requests topic."""

    key: bytes
    value: bytes
    headers: list[tuple[str, str | bytes | None]]


class Asking:
    """Requests about rows, which are gone through again and again.

    `expected` are the predictions of the rows, from 0 to 1; None where nobody knows them.
    """

    def __init__(
        self, model: str, rows: pd.DataFrame, entities: Sequence[str], expected: np.ndarray | None
    ) -> None:
        self.model = model
        self.names = [str(name) for name in rows.columns]
        # through text, so that a float32 reads 39.02 and not 39.0200004577
        self.rows = json.loads(rows.to_json(orient="records"))
        self._entities = entities
        self._expected = expected
        self._features = [json.dumps(row, separators=(",", ":")) for row in self.rows]

    def asks(self, start: int, end: int) -> Iterator[Ask]:
        """The requests from number `start` to before `end`, as Ekiben's own client writes them."""
        now = datetime.now(UTC)
        blank = PredictionRequested(
            request_id="r", model=self.model, entity_id="e", features=None, requested_at=now
        )
        _, headers = encode(blank, id="r", source="/benchmark", time=now)
        others: list[tuple[str, str | bytes | None]] = [
            *(header for header in headers if header[0] != "ce_id")
        ]
        at = now.isoformat()
        for number in range(start, end):
            row = number % len(self.rows)
            entity = self._entities[row]
            value = (
                f'{{"request_id":"r{number}","model":"{self.model}","entity_id":"{entity}",'
                f'"features":{self._features[row]},"requested_at":"{at}"}}'
            )
            yield Ask(entity.encode(), value.encode(), [("ce_id", b"r%d" % number), *others])

    def is_right(self, request_id: str, prediction: float) -> bool:
        """Whether this is the answer to it: bodies of float32 and of float64 agree to five digits."""
        if not request_id.startswith("r") or not np.isfinite(prediction):
            return False
        if self._expected is None:
            return True
        return abs(prediction - float(self._expected[int(request_id[1:]) % len(self.rows)])) < 1e-5  # noqa: PLR2004
