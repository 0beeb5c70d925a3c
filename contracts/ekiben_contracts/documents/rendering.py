"""JSON as it is checked in: one way to write it, so that a change of the text is a change of meaning."""

from __future__ import annotations

import json
from typing import cast

from pydantic import JsonValue
from pydantic_core import from_json

_WIDTH = 110


def render(document: JsonValue) -> str:
    """The text of a document. NaN and infinity are refused, as in events."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def render_narrow(document: JsonValue, indent: str = "", room: int = _WIDTH) -> str:
    """The text of a document for a page: what fits on a line stands on one."""
    line = json.dumps(document, ensure_ascii=False, allow_nan=False)
    if len(line) <= room - len(indent) or not isinstance(document, dict | list) or not document:
        return line
    deeper = indent + "  "
    if isinstance(document, dict):
        inner = [
            f"{json.dumps(name, ensure_ascii=False)}: {render_narrow(value, deeper, room - len(name) - 5)}"
            for name, value in document.items()
        ]
        opening, closing = "{", "}"
    else:
        inner = [render_narrow(value, deeper, room - 1) for value in document]
        opening, closing = "[", "]"
    return f"{opening}\n{deeper}" + f",\n{deeper}".join(inner) + f"\n{indent}{closing}"


def canonical(document: JsonValue) -> str:
    """The text that two documents share exactly when they say the same; 1, 1.0 and true are different."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def parse(text: str | bytes) -> JsonValue:
    """The document of a text.

    Raises:
        ValueError: it is no JSON, or has NaN or infinity in it.
    """
    return cast("JsonValue", from_json(text, allow_inf_nan=False))
