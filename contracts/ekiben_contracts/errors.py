"""What can be wrong with a record, by what the reader does about it.

    ContractError
     ├─ UnreadableError     nobody can say what it is: dead letter
     └─ InvalidEventError   an event of a known type with wrong fields: answer whoever it names
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import ValidationError


class Reason(StrEnum):
    """A short stable label to filter dead letters by."""

    EMPTY = "empty"
    UNDECODABLE = "undecodable"
    UNKNOWN_TYPE = "unknown-type"
    UNKNOWN_VERSION = "unknown-version"
    INVALID = "invalid"


class ContractError(Exception):
    """A record that breaks the contract of its topic.

    `ce_id` is the CloudEvents id of the record where it had a readable one.
    """

    def __init__(self, reason: Reason, message: str, *, ce_id: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.ce_id = ce_id


class UnreadableError(ContractError):
    """Neither its type nor its data can be told. Keep the bytes as a dead letter."""


class InvalidEventError(ContractError):
    """A JSON object of a known type whose fields are wrong.

    `data` is the object as it was sent, so that its sender can be answered.
    """

    def __init__(self, message: str, *, data: dict[str, Any], ce_id: str | None = None) -> None:
        super().__init__(Reason.INVALID, message, ce_id=ce_id)
        self.data = data


_MOST_FIELDS = 5
_MOST_TEXT = 80


def describe(error: ValidationError) -> str:
    """Each wrong field with what was expected and what was found, five at the most."""
    found = error.errors(include_url=False, include_context=False)
    lines = [f"{_path(e['loc'])}: {e['msg']}, found {_shorten(e['input'])}" for e in found[:_MOST_FIELDS]]
    if len(found) > _MOST_FIELDS:
        lines.append(f"and {len(found) - _MOST_FIELDS} more")
    return "; ".join(lines)


def _path(loc: tuple[int | str, ...]) -> str:
    return ".".join(map(str, loc)) or "the whole"


def _shorten(value: object) -> str:
    text = f"an object of {len(value)} fields" if isinstance(value, dict) else repr(value)
    return text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + "…"
