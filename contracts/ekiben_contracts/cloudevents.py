"""CloudEvents 1.0 over Kafka: binary mode to write, binary, structured and bare JSON to read.

Source: CloudEvents 1.0.2, its Kafka protocol binding and its JSON event format.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from ekiben_contracts.catalog import BY_TYPE
from ekiben_contracts.errors import InvalidEventError, Reason, UnreadableError, describe
from ekiben_contracts.event import Event
from ekiben_contracts.topics import Topic

Headers = Sequence[tuple[str, bytes]]

SPEC_VERSION: Final = "1.0"
STRUCTURED: Final = "application/cloudevents+json"
JSON: Final = "application/json"
_LONGEST_ID: Final = 256
_SPEC_VERSION_HEADER = ("ce_specversion", SPEC_VERSION.encode())
_CONTENT_TYPE_HEADER = ("content-type", JSON.encode())


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """An event with what its envelope said of it; `id` and `source` are None for bare JSON."""

    data: Event
    id: str | None = None
    source: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class _Envelope:
    type: str | None = None
    id: str | None = None
    source: str | None = None
    traceparent: str | None = None


def encode(
    event: Event, *, id: str, source: str, time: datetime, traceparent: str | None = None
) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The value and headers of a record in binary mode. `time` must carry its offset."""
    headers = [
        _SPEC_VERSION_HEADER,
        ("ce_id", id.encode()),
        ("ce_type", event.type.encode()),
        ("ce_source", source.encode()),
        ("ce_time", _rfc3339(time).encode()),
        _CONTENT_TYPE_HEADER,
    ]
    if traceparent is not None:
        headers.append(("traceparent", traceparent.encode()))
    return event.to_json(), headers


def encode_structured(
    event: Event, *, id: str, source: str, time: datetime, traceparent: str | None = None
) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The value and headers of a record in structured mode: everything in one JSON object."""
    envelope: dict[str, Any] = {
        "specversion": SPEC_VERSION,
        "id": id,
        "type": event.type,
        "source": source,
        "time": _rfc3339(time),
        "datacontenttype": JSON,
        "data": event,
    }
    if traceparent is not None:
        envelope["traceparent"] = traceparent
    return to_json(envelope), [("content-type", STRUCTURED.encode())]


def decode(value: bytes | None, headers: Headers, topic: Topic) -> CloudEvent:
    """Read one record of a topic, in whichever mode it was written.

    Raises:
        UnreadableError: it is empty, no JSON object, or of a type that this topic does not carry.
        InvalidEventError: its type is known and a field is wrong.
    """
    named = dict(headers)
    if named.get("content-type", b"").startswith(STRUCTURED.encode()):
        envelope, value = _open_structured(value)
    else:
        envelope = _Envelope(
            type=_text(named, "ce_type"),
            id=_text(named, "ce_id"),
            source=_text(named, "ce_source"),
            traceparent=_text(named, "traceparent"),
        )
        _check_spec_version(_text(named, "ce_specversion"), envelope.id)
    _check_id(envelope.id)
    event_type = _resolve(envelope, topic)
    if not value:
        raise UnreadableError(
            Reason.EMPTY, f"expected the JSON of {event_type.type}, found an empty value", ce_id=envelope.id
        )
    try:
        data = event_type.model_validate_json(value)
    except ValidationError as error:
        _refuse(error, value, event_type, envelope)
    return CloudEvent(data, envelope.id, envelope.source, envelope.traceparent)


def _text(headers: dict[str, bytes], name: str) -> str | None:
    raw = headers.get(name)
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        if name == "traceparent":  # a broken trace must not cost a request
            return None
        raise UnreadableError(
            Reason.UNDECODABLE, f"expected UTF-8 in the header {name}, found {raw[:40]!r}"
        ) from error


def _open_structured(value: bytes | None) -> tuple[_Envelope, bytes | None]:
    if not value:
        raise UnreadableError(Reason.EMPTY, f"expected a CloudEvent as {STRUCTURED}, found an empty value")
    try:
        body = from_json(value)
    except ValueError as error:
        raise UnreadableError(
            Reason.UNDECODABLE, f"expected a CloudEvent as {STRUCTURED}, found no JSON: {error}"
        ) from error
    if not isinstance(body, dict):
        raise UnreadableError(
            Reason.UNDECODABLE, f"expected a CloudEvent as {STRUCTURED}, found a JSON {type(body).__name__}"
        )
    fields: dict[str, Any] = body
    envelope = _Envelope(*(_attribute(fields, name) for name in ("type", "id", "source", "traceparent")))
    _check_spec_version(_attribute(fields, "specversion"), envelope.id)
    if envelope.type is None:
        raise UnreadableError(Reason.UNKNOWN_TYPE, "expected the attribute type, found none", ce_id=envelope.id)
    return envelope, to_json(fields["data"]) if "data" in fields else None


def _attribute(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is None or isinstance(value, str):
        return value
    raise UnreadableError(
        Reason.UNDECODABLE, f"expected text in the attribute {name}, found a {type(value).__name__}"
    )


def _check_spec_version(found: str | None, ce_id: str | None) -> None:
    if found not in (None, SPEC_VERSION):
        raise UnreadableError(
            Reason.UNKNOWN_VERSION, f"expected CloudEvents {SPEC_VERSION}, found {found[:40]!r}", ce_id=ce_id
        )


def _check_id(ce_id: str | None) -> None:
    if ce_id is not None and not 0 < len(ce_id) <= _LONGEST_ID:
        raise UnreadableError(
            Reason.UNDECODABLE, f"expected a ce_id of 1 to {_LONGEST_ID} characters, found {len(ce_id)}"
        )


def _resolve(envelope: _Envelope, topic: Topic) -> type[Event]:
    carried = ", ".join(t.type for t in topic.types)
    if envelope.type is None:
        if topic.only_type is None:
            raise UnreadableError(
                Reason.UNKNOWN_TYPE,
                f"expected a ce_type header, since {topic.name} carries {carried}; found none",
                ce_id=envelope.id,
            )
        return topic.only_type
    found = BY_TYPE.get(envelope.type)
    if found in topic.types:
        return found
    stem = envelope.type.rpartition(".v")[0]
    reason = (
        Reason.UNKNOWN_VERSION
        if found is None and any(t.type.rpartition(".v")[0] == stem for t in topic.types)
        else Reason.UNKNOWN_TYPE
    )
    raise UnreadableError(
        reason, f"expected one of {carried} on {topic.name}, found {envelope.type[:120]!r}", ce_id=envelope.id
    )


def _refuse(error: ValidationError, value: bytes, event_type: type[Event], envelope: _Envelope) -> NoReturn:
    """Tell a wrong field, which can be answered, from bytes that say nothing."""
    try:
        data = from_json(value)
    except ValueError as broken:
        raise UnreadableError(
            Reason.UNDECODABLE,
            f"expected the JSON of {event_type.type}, found {value[:40]!r}: {broken}",
            ce_id=envelope.id,
        ) from error
    if not isinstance(data, dict):
        raise UnreadableError(
            Reason.UNDECODABLE,
            f"expected a JSON object for {event_type.type}, found a {type(data).__name__}",
            ce_id=envelope.id,
        ) from error
    raise InvalidEventError(f"{event_type.type}: {describe(error)}", data=data, ce_id=envelope.id) from error


def _rfc3339(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
