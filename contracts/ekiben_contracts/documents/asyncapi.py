"""The AsyncAPI 3 document: who sends and receives which events on which topics.

Source: AsyncAPI 3.0.0 and its Kafka bindings 0.5.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from pydantic import JsonValue
from pydantic.json_schema import models_json_schema

from ekiben_contracts.cloudevents import SPEC_VERSION
from ekiben_contracts.documents.headers import headers_schema
from ekiben_contracts.documents.servers import NOWHERE, Servers
from ekiben_contracts.documents.table import key_in_words
from ekiben_contracts.event import Event
from ekiben_contracts.topics import DEAD_LETTERS, SERVICES, Topic, dead_letter_topic, side_purposes

_BINDING = "0.5.0"


def asyncapi(
    events: Sequence[type[Event]],
    topics: Sequence[Topic],
    examples: Mapping[str, JsonValue],
    servers: Servers = NOWHERE,
    prefix: str = "",
) -> JsonValue:
    """The whole document. `examples` are by type; a type without one gets none.

    On a cluster of yours, its `servers` are named, and `prefix` stands before topics and groups.
    """
    carried = {event: topic for topic in topics for event in topic.versions}
    references, schemas = models_json_schema(
        [(event, "validation") for event in {**carried, **dict.fromkeys(events)}],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Ekiben",
            "version": "1.0.0",
            "description": "Machine-learning models that answer over Kafka. "
            "The version of an event is the end of its type.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        **({"servers": servers.described()} if servers.addresses else {}),
        "channels": {
            **{topic.name: _channel(topic, prefix) for topic in topics},
            "dead-letters": _dead_letters(topics, prefix),
        },
        "operations": dict(_operations(topics, prefix)),
        "components": {
            "messages": {
                event.type: _message(
                    event,
                    topic,
                    cast("JsonValue", references[event, "validation"]),
                    examples.get(event.type),
                )
                for event, topic in carried.items()
            },
            "schemas": cast("JsonValue", schemas["$defs"]),
            **({"securitySchemes": dict(servers.logins)} if servers.logins else {}),
        },
    }


def _channel(topic: Topic, prefix: str) -> JsonValue:
    return {
        "address": prefix + topic.name,
        "description": f"Keyed by {key_in_words(topic)}.",
        "messages": {event.type: {"$ref": f"#/components/messages/{event.type}"} for event in topic.versions},
        "bindings": {
            "kafka": {
                "topic": prefix + topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["compact" if topic.compacted else "delete"],
                    "retention.ms": topic.retention_ms,
                    "max.message.bytes": topic.max_message_bytes,
                },
                "bindingVersion": _BINDING,
            }
        },
    }


def _dead_letters(topics: Sequence[Topic], prefix: str) -> JsonValue:
    kept = [
        (topic.name, group)
        for topic in topics
        for group in topic.readers
        if DEAD_LETTERS in side_purposes(topic, group)
    ]
    return {
        "address": prefix + dead_letter_topic("{topic}", "{group}"),
        "description": "Records that a service could not handle: key and value as they were, byte for byte, "
        "and headers dlq-* that say what was wrong.",
        "parameters": {
            "topic": {
                "description": "Where the record was read.",
                "enum": list(dict.fromkeys(topic for topic, _ in kept)),
            },
            "group": {
                "description": "Who could not handle it.",
                "enum": list(dict.fromkeys(group for _, group in kept)),
            },
        },
    }


def _operations(topics: Iterable[Topic], prefix: str) -> Iterable[tuple[str, JsonValue]]:
    for topic in topics:
        for writer in topic.writers:
            yield f"{writer}.send.{topic.name}", _operation("send", topic, writer)
        for reader in topic.read_by:
            yield f"{reader}.receive.{topic.name}", _operation("receive", topic, reader, prefix)


def _operation(action: str, topic: Topic, who: str, prefix: str = "") -> JsonValue:
    events = topic.types if action == "send" else topic.versions
    operation: dict[str, JsonValue] = {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{event.type}"} for event in events],
        "tags": [{"name": who}],
    }
    if action == "receive" and who in SERVICES:
        group: JsonValue = {"type": "string", "const": prefix + who, "description": "Its consumer group."}
        operation["bindings"] = {"kafka": {"groupId": group, "bindingVersion": _BINDING}}
    return operation


def _message(event: type[Event], topic: Topic, payload: JsonValue, example: JsonValue) -> JsonValue:
    message: dict[str, JsonValue] = {
        "name": event.type,
        "title": event.__name__,
        "summary": (event.__doc__ or "").partition("\n")[0],
        "contentType": "application/json",
        "headers": headers_schema(event, topic),
        "payload": payload,
        "bindings": {
            "kafka": {
                "key": {"type": ["string", "null"], "description": key_in_words(topic)},
                "bindingVersion": _BINDING,
            }
        },
    }
    if example is not None:
        headers: JsonValue = {"ce_specversion": SPEC_VERSION, "ce_type": event.type}
        message["examples"] = [{"name": "flight", "headers": headers, "payload": example}]
    return message
