"""How a record would be read: for whoever writes a producer in another language."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from ekiben_contracts.cloudevents import decode
from ekiben_contracts.documents import parse
from ekiben_contracts.errors import ContractError
from ekiben_contracts.topics import Topic


def explain(value: bytes, headers: Sequence[str], topic: Topic) -> tuple[bool, JsonValue]:
    """Whether a record is good, and what Ekiben makes of it. Headers are NAME=VALUE."""
    named = [(name, text.encode()) for name, _, text in (header.partition("=") for header in headers)]
    try:
        event = decode(value, named, topic)
    except ContractError as error:
        return False, {
            "error": type(error).__name__,
            "reason": error.reason.value,
            "message": str(error),
            "id": error.ce_id,
        }
    key = topic.key_of(event.data)
    return True, {
        "type": event.data.type,
        "id": event.id,
        "source": event.source,
        "key": None if key is None else key.decode(),
        "data": parse(event.data.to_json()),
    }
