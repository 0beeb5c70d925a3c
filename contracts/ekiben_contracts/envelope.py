"""What an envelope says of the event inside: from headers (binary mode) or from JSON (structured mode)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from msgspec import Struct
from pydantic import JsonValue
from pydantic_core import from_json, to_json

from ekiben_contracts.errors import Reason, UnreadableError
from ekiben_contracts.wording import found, kind, opening

Headers = Sequence[tuple[str, bytes | None]]
"""The headers of a Kafka record; Kafka knows a header without a value."""

SPEC_VERSION: Final = "1.0"
_SPEC_VERSION: Final = SPEC_VERSION.encode()
STRUCTURED: Final = "application/cloudevents+json"


class Envelope(Struct, frozen=True, gc=False):
    """The CloudEvents attributes that a reader needs; None where the record does not say."""

    type: str | None
    id: str | None
    source: str | None
    traceparent: str | None


def is_structured(content_type: bytes) -> bool:
    """Whether the value is the whole CloudEvent. Media types ignore case and may have parameters."""
    return content_type.partition(b";")[0].strip().lower() == STRUCTURED.encode()


def read_headers(headers: Mapping[str, bytes | None]) -> Envelope:
    """The envelope of binary mode; all None for a record without ce_ headers.

    Raises:
        UnreadableError: a ce_ header is not UTF-8, or of another CloudEvents version.
    """
    get = headers.get
    event_type, ce_id, source, trace = get("ce_type"), get("ce_id"), get("ce_source"), get("traceparent")
    try:  # all at once: one header after the other takes twice as long
        envelope = Envelope(
            None if event_type is None else event_type.decode(),
            None if ce_id is None else ce_id.decode(),
            None if source is None else source.decode(),
            # a broken trace must not cost a request
            trace.decode() if trace is not None and trace.isascii() else None,
        )
    except UnicodeDecodeError as error:
        raise _not_utf8(headers) from error
    if get("ce_specversion", _SPEC_VERSION) != _SPEC_VERSION:
        _check_spec_version(_text(headers, "ce_specversion", envelope.id), envelope.id)
    return envelope


def open_structured(value: bytes | None) -> tuple[Envelope, bytes | None]:
    """The envelope of structured mode, and the JSON of its data.

    Raises:
        UnreadableError: it is empty, no JSON object, or its attributes or data are not as they must be.
    """
    fields = _parse(value)
    ce_id = _attribute(fields, "id", None)
    _check_spec_version(_attribute(fields, "specversion", ce_id), ce_id)
    event_type = _attribute(fields, "type", ce_id)
    if event_type is None:
        raise UnreadableError(Reason.UNKNOWN_TYPE, "expected the attribute type, found none", ce_id=ce_id)
    if "data_base64" in fields:
        raise UnreadableError(
            Reason.UNDECODABLE, "expected JSON in the attribute data, found data_base64", ce_id=ce_id
        )
    trace = fields.get("traceparent")
    envelope = Envelope(
        event_type, ce_id, _attribute(fields, "source", ce_id), trace if isinstance(trace, str) else None
    )
    return envelope, to_json(fields["data"]) if "data" in fields else None


def _parse(value: bytes | None) -> dict[str, JsonValue]:
    if not value:
        raise UnreadableError(Reason.EMPTY, f"expected a CloudEvent as {STRUCTURED}, found an empty value")
    try:
        body = cast("JsonValue", from_json(value))
    except ValueError as error:
        raise UnreadableError(
            Reason.UNDECODABLE, f"expected a CloudEvent as {STRUCTURED}, found {opening(value)}: {error}"
        ) from error
    if not isinstance(body, dict):
        raise UnreadableError(
            Reason.UNDECODABLE, f"expected a CloudEvent as {STRUCTURED}, found {kind(body)}"
        )
    return body


def _not_utf8(headers: Mapping[str, bytes | None]) -> UnreadableError:
    """Which header it is, and whose, as far as that can be read."""
    try:
        ce_id = _text(headers, "ce_id", None)
        for name in ("ce_type", "ce_source"):
            _text(headers, name, ce_id)
    except UnreadableError as error:
        return error
    raise AssertionError("every header is UTF-8")


def _text(headers: Mapping[str, bytes | None], name: str, ce_id: str | None) -> str | None:
    raw = headers.get(name)
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise UnreadableError(
            Reason.UNDECODABLE, f"expected UTF-8 in the header {name}, found {opening(raw)}", ce_id=ce_id
        ) from error


def _attribute(fields: Mapping[str, JsonValue], name: str, ce_id: str | None) -> str | None:
    value = fields.get(name)
    if value is None or isinstance(value, str):
        return value
    raise UnreadableError(
        Reason.UNDECODABLE, f"expected text in the attribute {name}, found {kind(value)}", ce_id=ce_id
    )


def _check_spec_version(version: str | None, ce_id: str | None) -> None:
    if version not in (None, SPEC_VERSION):
        raise UnreadableError(
            Reason.UNKNOWN_VERSION,
            f"expected CloudEvents {SPEC_VERSION}, found {found(version)}",
            ce_id=ce_id,
        )
