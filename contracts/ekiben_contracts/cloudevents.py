"""CloudEvents 1.0 over Kafka: binary mode to write, binary, structured and bare JSON to read.

Source: CloudEvents 1.0.2, its Kafka protocol binding and its JSON event format.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NoReturn, cast

from msgspec import Struct
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from ekiben_contracts.envelope import (
    SPEC_VERSION,
    STRUCTURED,
    Headers,
    is_structured,
    open_structured,
    read_headers,
)
from ekiben_contracts.errors import InvalidEventError, Reason, UnreadableError
from ekiben_contracts.event import Event
from ekiben_contracts.evolution.resolving import resolve, to_newest
from ekiben_contracts.patient import read_patiently
from ekiben_contracts.sensitive import marked_within
from ekiben_contracts.topics import Topic
from ekiben_contracts.wording import describe, kind, opening

__all__ = [
    "JSON",
    "SPEC_VERSION",
    "STRUCTURED",
    "CloudEvent",
    "Headers",
    "decode",
    "encode",
    "encode_structured",
]

JSON: Final = "application/json"
_JSON: Final = JSON.encode()
_SPEC_VERSION_HEADER = ("ce_specversion", SPEC_VERSION.encode())
_CONTENT_TYPE_HEADER = ("content-type", _JSON)
_STRUCTURED_HEADER = ("content-type", STRUCTURED.encode())


class CloudEvent(Struct, frozen=True, gc=False):
    """An event with what its envelope said of it; `id` and `source` are None for bare JSON."""

    data: Event
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
        _type_header(event.type),
        *_batch_headers(source, time),
        _CONTENT_TYPE_HEADER,
    ]
    if traceparent is not None:
        headers.append(("traceparent", traceparent.encode()))
    return event.to_json(), headers


def encode_structured(
    event: Event, *, id: str, source: str, time: datetime, traceparent: str | None = None
) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The value and headers of a record in structured mode: everything in one JSON object."""
    envelope: dict[str, object] = {
        "specversion": SPEC_VERSION,
        "id": id,
        "type": event.type,
        "source": source,
        "time": _rfc3339(time),
        "datacontenttype": JSON,
        "data": from_json(event.to_json()),
    }
    if traceparent is not None:
        envelope["traceparent"] = traceparent
    return to_json(envelope), [_STRUCTURED_HEADER]


def decode(value: bytes | None, headers: Headers, topic: Topic, *, lean: bool = False) -> CloudEvent:
    """Read one record of a topic, in whichever mode and version it was written, as the newest version.

    Types are exact, as the JSON Schemas say: the text "1" is no number, 1 is not true. If it may be `lean`,
    see `ekiben_contracts.lean`.

    Raises:
        UnreadableError: it is empty, no JSON object, of a type that this topic does not carry, or of an
            older version that does not become the newest.
        InvalidEventError: its type is known and a field is wrong.
    """
    named = dict(headers)
    content_type = named.get("content-type")
    if content_type is not None and content_type != _JSON and is_structured(content_type):
        envelope, value = open_structured(value)
    else:
        envelope = read_headers(named)
    if envelope.id is not None:
        _check_id(envelope.id, topic)
    event_type = newest = topic.by_type.get(envelope.type)
    if event_type is None or newest is None:
        event_type, newest = resolve(envelope, topic)
    if not value:
        raise UnreadableError(
            Reason.EMPTY, f"expected the JSON of {event_type.type}, found an empty value", ce_id=envelope.id
        )
    try:
        if lean and event_type is newest:
            data = event_type.lean_from_json(value)
        else:
            data = event_type.from_json(value)
    except ValidationError as error:
        _refuse(error, value, event_type, envelope.id)
    if event_type is not newest:
        data = to_newest(data, newest, topic, envelope.id)
    return CloudEvent(data, envelope.id, envelope.source, envelope.traceparent)


def _check_id(ce_id: str, topic: Topic) -> None:
    if not 0 < len(ce_id) <= topic.longest_id:
        raise UnreadableError(
            Reason.UNDECODABLE,
            f"expected an id of 1 to {topic.longest_id} characters on {topic.name}, found {len(ce_id)}",
        )


def _refuse(error: ValidationError, value: bytes, event_type: type[Event], ce_id: str | None) -> NoReturn:
    """Tell a wrong field, which can be answered, from bytes that say nothing."""
    told = None
    try:
        data = from_json(value)
    except ValueError as broken:
        try:
            data = read_patiently(value)
        except ValueError:
            raise UnreadableError(
                Reason.UNDECODABLE,
                f"expected the JSON of {event_type.type}, found {opening(value)}: {broken}",
                ce_id=ce_id,
            ) from error
        told = f"expected numbers of a few digits, and a few levels, found {broken}"
    if not isinstance(data, dict):
        raise UnreadableError(
            Reason.UNDECODABLE,
            f"expected a JSON object for {event_type.type}, found {kind(data)}",
            ce_id=ce_id,
        ) from error
    sent = cast("dict[str, Any]", data)
    message = f"{event_type.type}: {told or describe(error, marked_within(event_type))}"
    raise InvalidEventError(message, data=sent, ce_id=ce_id) from error


@lru_cache(maxsize=64)
def _type_header(event_type: str) -> tuple[str, bytes]:
    return "ce_type", event_type.encode()


@lru_cache(maxsize=16)
def _batch_headers(source: str, time: datetime) -> tuple[tuple[str, bytes], ...]:
    """The same for every event of a batch, and a microsecond and a half to write."""
    return ("ce_source", source.encode()), ("ce_time", _rfc3339(time).encode())


def _rfc3339(time: datetime) -> str:
    if time.tzinfo is None:
        raise ValueError(f"expected a time with its offset, found {time.isoformat()}; try datetime.now(UTC)")
    return time.astimezone(UTC).isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"
