"""A dead letter as it may be shown: without what is sensitive, unless somebody asked for that by name."""

from __future__ import annotations

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
from ekiben_contracts.event import Event
from ekiben_contracts.sensitive import REDACTED, Redacted, redact
from ekiben_contracts.topics import BY_NAME

_OUR_HEADERS = ("ce_", "opik_")
_PLAIN_HEADERS = frozenset({"content-type", "traceparent", "tracestate"})
_ATTRIBUTES = frozenset(
    {"specversion", "id", "type", "source", "time", "datacontenttype", "subject", "traceparent"}
)


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
        return View(
            key=None if letter.key is None else escaped(letter.key),
            headers=[(name, _shown(name, value, found)) for name, value in letter.headers],
            value=found.value,
            error_message=found.mask(letter.error_message),
            error_stack=found.mask(letter.error_stack),
        )

    def _redacted(self, letter: DeadLetter) -> Redacted:
        if not letter.value:
            return Redacted(None if letter.value is None else "", frozenset())
        event, data = self._read(letter)
        if event is None or not isinstance(data, dict):
            unread = f"{REDACTED} {len(letter.value)} bytes in which nobody can tell what is sensitive"
            return Redacted(unread, frozenset())
        envelope = data if "specversion" in data else None
        inside = data if envelope is None else envelope.get("data")
        found = redact(inside, _schema(event), self._harmless(inside))
        if envelope is None:
            return found
        around = {name: value if name in _ATTRIBUTES else REDACTED for name, value in envelope.items()}
        return Redacted({**around, "data": found.value}, found.hidden)

    def _read(self, letter: DeadLetter) -> tuple[type[Event] | None, JsonValue]:
        """What its value is said to be, and its JSON; None where that cannot be told."""
        headers = dict(letter.headers)
        try:
            data = cast("JsonValue", from_json(letter.value or b""))
        except ValueError:
            return None, None
        if is_structured(headers.get("content-type", b"")):
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
        """The features that every routed version of the models behind it knows, and none as sensitive."""
        name = data.get("model") if isinstance(data, dict) else None
        ensemble = self.routes.ensembles.get(name) if isinstance(name, str) else None
        members = ensemble.members if ensemble is not None else [name] if isinstance(name, str) else []
        routes = [self.routes.models[member] for member in members if member in self.routes.models]
        specs = [spec for route in routes for version in route.versions for spec in version.signature]
        return {spec.name for spec in specs} - {spec.name for spec in specs if spec.sensitive}


def whole(letter: DeadLetter) -> View:
    """All of it, for somebody who asked."""
    return View(
        key=None if letter.key is None else escaped(letter.key),
        headers=[(name, escaped(value)) for name, value in letter.headers],
        value=_payload(letter.value),
        error_message=letter.error_message,
        error_stack=letter.error_stack,
        raw=None if letter.value is None else b64encode(letter.value).decode(),
    )


def escaped(raw: bytes) -> str:
    r"""Text where it is UTF-8 that can be printed; any other byte as \xNN."""
    text = raw.decode(errors="backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _shown(name: str, value: bytes, found: Redacted) -> str:
    known = name in _PLAIN_HEADERS or name.startswith(_OUR_HEADERS)
    return found.mask(escaped(value)) if known else REDACTED


def _payload(value: bytes | None) -> JsonValue:
    """The JSON that it is, else its escaped bytes; None where there is no value."""
    if value is None:
        return None
    try:
        return cast("JsonValue", from_json(value))
    except ValueError:
        return escaped(value)


@cache
def _schema(event: type[Event]) -> JsonValue:
    return schema(event)
