"""A type's name: what it is about, and which version of that it is."""

from __future__ import annotations

import re

_VERSIONED = re.compile(r"(?P<stem>.+)\.v(?P<number>[1-9][0-9]{0,5})")


def stem_of(event_type: str) -> str:
    """What every version of an event shares: `ekiben.model.trained` of `ekiben.model.trained.v1`."""
    return event_type.rpartition(".v")[0]


def number_of(event_type: str) -> int | None:
    """Which version a type is; None where its name does not end in one."""
    match = _VERSIONED.fullmatch(event_type)
    return None if match is None else int(match["number"])


def next_version(event_type: str) -> str:
    """The type that a change of this one's meaning makes."""
    return f"{stem_of(event_type)}.v{(number_of(event_type) or 0) + 1}"
