"""A prediction request with its identity, however it came in."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from ekiben_contracts.prediction import PredictionRequested


class Request(Struct, frozen=True, gc=False):
    """What was asked, under which id, since when. Thousands are made a second."""

    id: str
    asked: PredictionRequested
    requested_at: datetime
    attempt: int = 1
