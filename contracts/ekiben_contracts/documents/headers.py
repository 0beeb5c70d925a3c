"""The schema of a record's headers: CloudEvents 1.0 in Kafka's binary mode."""

from __future__ import annotations

from pydantic import JsonValue

from ekiben_contracts.cloudevents import JSON, SPEC_VERSION
from ekiben_contracts.event import Event
from ekiben_contracts.topics import Topic


def headers_schema(event: type[Event], topic: Topic) -> JsonValue:
    """What a reader understands. A topic of one type needs no header at all, for its first version."""
    return {
        "type": "object",
        "required": [] if topic.only_type is event else ["ce_type"],
        "properties": {
            "ce_specversion": {"type": "string", "const": SPEC_VERSION},
            "ce_id": {
                "type": "string",
                "minLength": 1,
                "maxLength": topic.longest_id,
                "description": "Two records with one id are one event: a reader drops the second.",
            },
            "ce_type": {"type": "string", "const": event.type},
            "ce_source": {"type": "string", "description": "Who wrote it."},
            "ce_time": {"type": "string", "format": "date-time"},
            "content-type": {"type": "string", "const": JSON},
            "traceparent": {"type": "string", "description": "W3C Trace Context."},
        },
    }
