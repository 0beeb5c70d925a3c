"""Pydantic's errors in the words of whoever sent the JSON: what was expected, what was found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_MOST_FIELDS = 5
_MOST_TEXT = 80
_MOST_PATH = 120
_PLAIN = re.compile(r"[\w-]+")
_A_TIME = "an ISO 8601 time with its offset, such as 2013-07-01T08:15:00Z"
_EXPECTED: Mapping[str, str] = {
    "missing": "a value",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "text of at most {max_length} characters",
    "string_pattern_mismatch": "text that matches {pattern}",
    "too_short": "at least {min_length} items",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "datetime_type": _A_TIME,
    "datetime_parsing": _A_TIME,
    "datetime_from_date_parsing": _A_TIME,
    "timezone_aware": _A_TIME,
}


def describe(error: ValidationError) -> str:
    """Each wrong field with what was expected and what was found, five at the most."""
    details = error.errors(include_url=False)
    lines = [_line(detail) for detail in details[:_MOST_FIELDS]]
    if len(details) > _MOST_FIELDS:
        lines.append(f"and {len(details) - _MOST_FIELDS} more")
    return "; ".join(lines)


def found(value: object) -> str:
    """A value of parsed JSON in JSON's own words, short enough for a log line."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _shorten(repr(value[: _MOST_TEXT + 1]), _MOST_TEXT)
        case dict():
            return f"an object of {_count(len(cast('dict[object, object]', value)), 'field')}"
        case list():
            return f"an array of {_count(len(cast('list[object]', value)), 'item')}"
        case _:
            return _shorten(repr(value), _MOST_TEXT)


def opening(value: bytes) -> str:
    """How bytes that nobody can read begin: enough to tell what wrote them, and nobody's secret."""
    return f"{_count(len(value), 'byte')} that begin with {value[:2]!r}"


def _line(detail: ErrorDetails) -> str:
    template = _EXPECTED.get(detail["type"])
    expected = (
        template.format_map(detail.get("ctx", {}))
        if template is not None
        else detail["msg"].removeprefix("Input should be ")
    )
    what = "nothing" if detail["type"] == "missing" else found(detail["input"])
    return f"{_path(detail['loc'])}: expected {expected}, found {what}"


def _path(loc: tuple[int | str, ...]) -> str:
    if loc and loc[-1] == "[key]":
        return f"{_path(loc[:-1])} as a name"
    steps = (str(step) if _PLAIN.fullmatch(str(step)) else repr(step) for step in loc)
    return _shorten(".".join(steps), _MOST_PATH) or "the whole"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
