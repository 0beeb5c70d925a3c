"""The JSON Schema of an event's data, and what of it says what is accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from pydantic import JsonValue
from pydantic.json_schema import models_json_schema

from ekiben_contracts.event import Event

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_WORDING = ("title", "description", "examples", "$comment", "deprecated")
_VALUES = ("default", "const", "enum")
_NAMED_BY_USERS = ("properties", "$defs", "patternProperties")


def schema(event: type[Event]) -> JsonValue:
    """What is accepted as the data of an event of this type, by JSON Schema 2020-12."""
    generated = cast("dict[str, JsonValue]", event.model_json_schema())
    return {"$schema": DIALECT, "$id": f"{event.type}.json", **generated}


def definitions(
    events: Sequence[type[Event]],
) -> tuple[Mapping[type[Event], str], Mapping[str, JsonValue]]:
    """The names of events, and by name the schemas of all that stands in them; a `$ref` is a name."""
    references, schemas = models_json_schema(
        [(event, "validation") for event in events], ref_template="{model}"
    )
    names = {event: str(references[event, "validation"]["$ref"]) for event in events}
    return names, cast("Mapping[str, JsonValue]", schemas["$defs"])


def without_wording(node: JsonValue) -> JsonValue:
    """A schema without titles and descriptions: what it accepts, and what of it is sensitive."""
    if isinstance(node, list):
        return [without_wording(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        keyword: value
        if keyword in _VALUES
        else _each_without_wording(value)
        if keyword in _NAMED_BY_USERS
        else without_wording(value)
        for keyword, value in node.items()
        if keyword not in _WORDING
    }


def _each_without_wording(named: JsonValue) -> JsonValue:
    """Below `properties` a key is a field, which may well be called title."""
    if not isinstance(named, dict):
        return named
    return {name: without_wording(value) for name, value in named.items()}
