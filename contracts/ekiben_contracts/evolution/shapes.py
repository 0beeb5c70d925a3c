"""A node of a JSON Schema as the kinds of value that it accepts, each with its limits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import cast

from pydantic import JsonValue

Node = Mapping[str, JsonValue]

ANYTHING = "anything"
_ALL = frozenset(("array", "boolean", "integer", "null", "number", "object", "string", ANYTHING))
_DEFS = "#/$defs/"
_MOST_TEXT = 60


def as_node(schema: JsonValue) -> Node:
    """A schema as an object: true accepts anything, false nothing."""
    if isinstance(schema, dict):
        return schema
    return {} if schema in (True, None) else {"not": {}}


def definitions(schema: JsonValue) -> Node:
    """What a whole schema defines for its $refs."""
    return as_node(as_node(schema).get("$defs", {}))


def resolved(schema: JsonValue, defs: Node) -> Node:
    """A node with what its $ref names in the place of that."""
    node = as_node(schema)
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return node
    beside = {keyword: value for keyword, value in node.items() if keyword != "$ref"}
    return {**resolved(defs.get(reference.removeprefix(_DEFS), {}), defs), **beside}


def kinds(schema: JsonValue, defs: Node) -> dict[str, Node]:
    """What a node accepts, by kind: null and string of an optional text, each with its own limits."""
    found: dict[str, Node] = {}
    for branch in _branches(resolved(schema, defs), defs):
        kind = _kind(branch)
        same = sum(known.partition(" #")[0] == kind for known in found)
        found[f"{kind} #{same + 1}" if same else kind] = branch
    return found


def accepted(of_kinds: Mapping[str, Node]) -> frozenset[str]:
    """The kinds, and those that are within one of them: a number may be an integer."""
    names = frozenset(of_kinds)
    if ANYTHING in names:
        return names | _ALL
    return names | {"integer"} if "number" in names else names


def values(node: Node) -> list[JsonValue] | None:
    """The only values that it accepts; None where they are not listed."""
    if "const" in node:
        return [node["const"]]
    listed = node.get("enum")
    return listed if isinstance(listed, list) else None


def in_words(value: JsonValue) -> str:
    """A value of a schema as JSON, short enough for a line."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}…"


def _branches(node: Node, defs: Node) -> Iterator[Node]:
    branches = node.get("anyOf", node.get("oneOf"))
    if not isinstance(branches, list):
        types = node.get("type")
        several = cast("list[JsonValue]", types if isinstance(types, list) else [types])
        yield from ({**node, "type": one} if len(several) > 1 else node for one in several)
        return
    for branch in branches:
        yield from _branches(resolved(branch, defs), defs)


def _kind(node: Node) -> str:
    kind, form = node.get("type"), node.get("format")
    if not isinstance(kind, str):
        return "nothing" if "not" in node else ANYTHING
    return f"{kind} ({form})" if isinstance(form, str) else kind
