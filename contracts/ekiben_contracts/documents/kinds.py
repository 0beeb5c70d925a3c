"""The kinds of values that many fields share: a page tells each once, and its name wherever it stands."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from pydantic import JsonValue, TypeAdapter

from ekiben_contracts.event import FeatureValue, Identifier, ModelName, Utc, Version
from ekiben_contracts.operations import DeadLetterId


class Kind(NamedTuple):
    """A name for a JSON Schema, and what it is for."""

    name: str
    schema: JsonValue
    meaning: str


def _kind(name: str, annotation: Any, meaning: str) -> Kind:
    return Kind(name, cast("JsonValue", TypeAdapter(annotation).json_schema()), meaning)


KINDS = (
    _kind("id", Identifier, "Names a request, an entity, a deployment or a training"),
    _kind("model name", ModelName, "Names a model or an ensemble: safe in a topic key, a Bento tag, a URL"),
    _kind("version", Version, "Of a model, as its registry names it: safe in an event id and a URL"),
    _kind("dead letter id", DeadLetterId, "TOPIC/GROUP/PARTITION/OFFSET/ATTEMPT of what died"),
    _kind("time", Utc, "ISO 8601 with its offset, such as `2013-07-01T08:15:00Z`; without one it is refused"),
    _kind("feature value", FeatureValue, "One feature; a whole number beyond 64 bits is read as a number"),
)


def kind_of(rules: JsonValue) -> Kind | None:
    """The kind that a schema is, if it is one."""
    return next((kind for kind in KINDS if kind.schema == rules), None)
