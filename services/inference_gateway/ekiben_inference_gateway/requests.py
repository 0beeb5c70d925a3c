"""A prediction request with its identity, however it came in."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from ekiben_contracts.prediction import PredictionRequested


class Request(Struct, frozen=True, gc=False):
    """What was asked, under which id, since when. Thousands are made a second.

    An entity_id that does not name an entity was made up for it: no feature store is asked about that.
    """

    id: str
    asked: PredictionRequested
    requested_at: datetime
    attempt: int = 1
    names_entity: bool = True
