"""A prediction request with its identity, however it came in."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ekiben_contracts.prediction import PredictionRequested


class Request(NamedTuple):
    """What was asked, under which id, since when. A tuple: thousands are made a second."""

    id: str
    asked: PredictionRequested
    requested_at: datetime
    attempt: int = 1
