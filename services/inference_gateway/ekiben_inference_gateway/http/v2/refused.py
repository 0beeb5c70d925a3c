"""What the protocol refuses, in the words for its `error` field."""

from __future__ import annotations

from typing import Final

_MOST_SHOWN: Final = 120
_MOST_BITS: Final = 128


class RefusedError(ValueError):
    """A request that breaks the protocol or fits no model: what was expected, found, and what to try."""


def shortly(value: object) -> str:
    """A value in an error: short, and never a number too long to print."""
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, (list, dict)):
        return f"{'an array' if isinstance(value, list) else 'an object'} of {len(value)}"
    text = repr(value[:_MOST_SHOWN] if isinstance(value, (str, bytes)) else value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def dimensions(shape: list[int]) -> str:
    """A shape in an error."""
    return f"[{', '.join(map(shortly, shape))}]"
