"""A dead letter as it may be shown: without what is sensitive, unless somebody asked for that by name."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

from pydantic import JsonValue
from pydantic_core import from_json

from ekiben.dead_letters.letter import DeadLetter
from ekiben.routes import Routes
from ekiben_contracts.catalog import BY_TYPE
from ekiben_contracts.documents import schema
from ekiben_contracts.envelope import is_structured
from ekiben_contracts.errors import NewerVersionError, UnreadableError
from ekiben_contracts.event import Event
from ekiben_contracts.sensitive import REDACTED, Redacted, redact
from ekiben_contracts.topics import BY_NAME

_ATTRIBUTES = frozenset({"specversion", "id", "type", "source", "time", "datacontenttype", "traceparent"})
"""Of CloudEvents: what else it knows, `subject` and extensions, may say anything."""
_HEADERS = frozenset({"content-type", "traceparent", "tracestate", *(f"ce_{name}" for name in _ATTRIBUTES)})

_QUOTES_NOTHING = frozenset(error.__name__ for error in (UnreadableError, NewerVersionError))
"""What it says of a value that nobody can read is about its bytes, and its type."""


@dataclass(frozen=True, slots=True)
class View:
    """What may be shown. `value` is JSON, or escaped text; `raw` is base64, and None unless all may be."""

    key: str | None
    headers: Sequence[tuple[str, str]]
    value: JsonValue
    error_message: str
    error_stack: str
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class Viewer:
    """Shows letters of one environment. Which features are harmless, the routes in force say."""

    routes: Routes
    prefix: str = ""

    def view(self, letter: DeadLetter) -> View:
        """Without what is marked sensitive, what nobody knows, and what cannot be told apart from it."""
        found = self._redacted(letter)
        may_be_told = found is not None or letter.error_class in _QUOTES_NOTHING
        found = found or _unread(letter)
        return View(
            key=None if letter.key is None else escaped(letter.key),
            headers=[
                (name, _header(value) if value is None or name in _HEADERS else REDACTED)
                for name, value in letter.headers
            ],
            value=found.value,
            error_message=found.mask(letter.error_message) if may_be_told else REDACTED,
            error_stack=found.mask(letter.error_stack) if may_be_told else REDACTED,
        )

    def _redacted(self, letter: DeadLetter) -> Redacted | None:
        """None where nobody can tell what of its value is sensitive."""
        if not letter.value:
            return Redacted(None if letter.value is None else "", frozenset())
        event, data = self._read(letter)
        if event is None or not isinstance(data, dict):
            return None
        envelope = data if "specversion" in data else None
        inside = data if envelope is None else envelope.get("data")
        found = redact(inside, _schema(event), self._harmless(inside))
        if envelope is None:
            return found
        around = {
            name: value if name in _ATTRIBUTES and isinstance(value, str) else REDACTED
            for name, value in envelope.items()
        }
        return Redacted({**around, "data": found.value}, found.hidden)

    def _read(self, letter: DeadLetter) -> tuple[type[Event] | None, JsonValue]:
        """What its value is said to be, and its JSON; None where that cannot be told."""
        headers = dict(letter.headers)
        try:
            data = cast("JsonValue", from_json(letter.value or b""))
        except ValueError:
            return None, None
        if is_structured(headers.get("content-type") or b""):
            named = data.get("type") if isinstance(data, dict) else None
            return BY_TYPE.get(named) if isinstance(named, str) else None, data
        if isinstance(data, dict) and "specversion" in data:  # an envelope that does not say it is one
            return None, None
        named = headers.get("ce_type")
        if named is not None:
            return BY_TYPE.get(named.decode(errors="replace")), data
        topic = BY_NAME.get(letter.topic.removeprefix(self.prefix))
        return None if topic is None else topic.only_type, data

    def _harmless(self, data: JsonValue) -> Container[str]:
        """The features that every version behind it knows as harmless: routed, and of its own signature."""
        name = data.get("model") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(name, str):
            return frozenset()
        ensemble = self.routes.ensembles.get(name)
        signatures = [_harmless_in(data["signature"])] if "signature" in data else []
        for member in [name] if ensemble is None else ensemble.members:
            route = self.routes.models.get(member)
            if route is None or not route.versions:
                return frozenset()
            signatures += [
                frozenset(spec.name for spec in version.signature if not spec.sensitive)
                for version in route.versions
            ]
        return frozenset[str].intersection(*signatures)


def whole(letter: DeadLetter) -> View:
    """All of it, for somebody who asked."""
    return View(
        key=None if letter.key is None else escaped(letter.key),
        headers=[(name, _header(value)) for name, value in letter.headers],
        value=_payload(letter.value),
        error_message=letter.error_message,
        error_stack=letter.error_stack,
        raw=None if letter.value is None else b64encode(letter.value).decode(),
    )


def escaped(raw: bytes) -> str:
    r"""Text where it is UTF-8 that can be printed; any other byte as \xNN."""
    text = raw.decode(errors="backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _unread(letter: DeadLetter) -> Redacted:
    told = f"{REDACTED} {len(letter.value or b'')} bytes in which nobody can tell what is sensitive"
    return Redacted(told, frozenset())


def _header(value: bytes | None) -> str:
    return "none" if value is None else escaped(value)


def _harmless_in(signature: JsonValue) -> frozenset[str]:
    """Those of a signature as it was sent, whatever was sent."""
    specs = [spec for spec in signature if isinstance(spec, dict)] if isinstance(signature, list) else []
    sensitive = {str(spec.get("name")) for spec in specs if spec.get("sensitive", False) is not False}
    return frozenset(str(spec.get("name")) for spec in specs) - sensitive


def _payload(value: bytes | None) -> JsonValue:
    """The JSON that it is, else its escaped bytes; None where there is no value."""
    if value is None:
        return None
    try:
        data = cast("JsonValue", from_json(value))
        json.dumps(data, allow_nan=False)  # NaN and infinity are read, and are no JSON
    except ValueError:
        return escaped(value)
    return data


@cache
def _schema(event: type[Event]) -> JsonValue:
    return schema(event)
