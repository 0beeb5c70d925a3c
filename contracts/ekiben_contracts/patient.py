"""JSON that is right by its grammar and refused all the same: read for the sake of who sent it."""

from __future__ import annotations

import json
import math

from pydantic import JsonValue

_MOST_DIGITS = 4_000
"""Python refuses to read an integer of more than 4,300 digits: it would take long."""


def read_patiently(value: bytes) -> JsonValue:
    """The JSON of a value whose numbers are too long, or that is too deep, for pydantic.

    A number too long is infinity: nobody is to compute with what is returned.

    Raises:
        ValueError: it is no JSON, or too deep here too.
    """
    try:
        data: JsonValue = json.loads(value.decode(), parse_int=_number, parse_constant=_refuse)
        json.dumps(data, ensure_ascii=False).encode()  # half a pair is a text that nobody can write
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    return data


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) < _MOST_DIGITS else math.inf


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")
