"""Pydantic's errors in the words of whoever sent the JSON: what was expected, what was found."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from math import isfinite
from typing import cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_MOST_FIELDS = 5
_MOST_QUOTED = 80
"""Characters of a wrong value: a name, a time or a number; what is longer is told by its length."""
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


def describe(error: ValidationError, hidden: AbstractSet[str] = frozenset()) -> str:
    """Each wrong field with what was expected and what was found, five at the most.

    Of the whole, and of what stands in a field that is `hidden`, the kind is told and never the value.
    """

    def tell(detail: ErrorDetails) -> str:
        place = detail["loc"]
        may_be_quoted = place and not any(step in hidden for step in place)
        return found(detail["input"]) if may_be_quoted else kind(detail["input"])

    return _lines(error, tell)


def outline(error: ValidationError) -> str:
    """The same for whoever may see no value at all."""
    return _lines(error, lambda detail: kind(detail["input"]))


def found(value: object) -> str:
    """A value of parsed JSON in JSON's own words, short enough for a log line, where it is no secret."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float() if len(quoted := repr(value)) <= _MOST_QUOTED:
            return quoted
        case _:
            return kind(value)


def kind(value: object) -> str:
    """What a value of parsed JSON is and how long, and nothing of what it says."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return f"a text of {_count(len(value), 'character')}"
        case dict():
            return f"an object of {_count(len(cast('dict[object, object]', value)), 'field')}"
        case list():
            return f"an array of {_count(len(cast('list[object]', value)), 'item')}"
        case _:  # NaN and infinity are no numbers of JSON: that is why they are refused
            return repr(value) if isinstance(value, float) and not isfinite(value) else "a number"


def opening(value: bytes) -> str:
    """How bytes that nobody can read begin: enough to tell what wrote them, and nobody's secret."""
    return f"{_count(len(value), 'byte')} that begin with {value[:2]!r}"


def _lines(error: ValidationError, tell: Callable[[ErrorDetails], str]) -> str:
    details = error.errors(include_url=False)
    lines = [_line(detail, tell) for detail in details[:_MOST_FIELDS]]
    if len(details) > _MOST_FIELDS:
        lines.append(f"and {len(details) - _MOST_FIELDS} more")
    return "; ".join(lines)


def _line(detail: ErrorDetails, tell: Callable[[ErrorDetails], str]) -> str:
    template = _EXPECTED.get(detail["type"])
    expected = (
        template.format_map(detail.get("ctx", {}))
        if template is not None
        else detail["msg"].removeprefix("Input should be ")
    )
    what = "nothing" if detail["type"] == "missing" else tell(detail)
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
