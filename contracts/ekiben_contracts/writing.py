"""Events to JSON by msgspec, in half of pydantic's time."""

from __future__ import annotations

from typing import Final

import msgspec
from pydantic import BaseModel

REFUSED: Final = (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError)
"""What msgspec raises where pydantic has to judge."""


def _fields_of(part: object) -> object:
    if isinstance(part, BaseModel):
        return part.__dict__
    raise TypeError(f"expected a part of an event, found {type(part).__name__}")


dump: Final = msgspec.json.Encoder(enc_hook=_fields_of).encode
"""The JSON of a part, its fields as they are. It raises one of `REFUSED` for what it cannot write."""
