"""The requests, the same for every side, and the right answer to each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ekiben_contracts.cloudevents import encode
from ekiben_contracts.event import FeatureValue
from ekiben_contracts.prediction import PredictionRequested


class Ask(NamedTuple):
    """One record of the requests topic."""

    key: bytes
    value: bytes
    headers: list[tuple[str, str | bytes | None]]


class Asking:
    """Requests about rows, which are gone through again and again.

    `expected` are the predictions of the rows, from 0 to 1; without them any number is right.
    """

    def __init__(
        self,
        model: str,
        rows: Sequence[Mapping[str, FeatureValue]],
        entities: Sequence[str] | None = None,
        expected: np.ndarray | None = None,
    ) -> None:
        self.model = model
        self.names = list(rows[0])
        self.rows = rows
        self.entities = entities or [f"entity-{number}" for number in range(len(rows))]
        self._expected = expected
        self.features = [json.dumps(row, separators=(",", ":")) for row in rows]

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
            entity = self.entities[row]
            value = (
                f'{{"request_id":"r{number}","model":"{self.model}","entity_id":"{entity}",'
                f'"features":{self.features[row]},"requested_at":"{at}"}}'
            )
            yield Ask(entity.encode(), value.encode(), [("ce_id", b"r%d" % number), *others])

    def is_right(self, request_id: str, prediction: float) -> bool:
        """Whether this is the answer to it: bodies of float32 and of float64 agree to five digits."""
        if not request_id.startswith("r") or not np.isfinite(prediction):
            return False
        if self._expected is None:
            return True
        return abs(prediction - float(self._expected[int(request_id[1:]) % len(self.rows)])) < 1e-5  # noqa: PLR2004


def rows_of(file: Path) -> list[dict[str, FeatureValue]]:
    """The rows in a file of JSON lines.

    Raises:
        ValueError: there is none.
    """
    rows = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
    if not rows:
        raise ValueError(f"expected a JSON object a line in {file}, found none")
    return rows
