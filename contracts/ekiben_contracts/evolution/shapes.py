"""A node of a JSON Schema as the kinds of value that it accepts, each with its limits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

Node = Mapping[str, JsonValue]

ANYTHING = "anything"
_ALL = frozenset(("array", "boolean", "integer", "null", "number", "object", "string", ANYTHING))
ONE_OF = "oneOf in full"
"""What a kind is one of: exactly one may hold, so that any difference of any of them may change all."""
COMPARED = frozenset(
    ("properties", "required", "items", "additionalProperties", "propertyNames", "patternProperties")
)
"""What is compared part by part."""
_SILENT = frozenset(("default", "$schema", "$id", "$defs"))
_DEFS = "#/$defs/"
_MOST_TEXT = 60
_TYPE_OF = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
    list: "array",
    dict: "object",
}


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
    name = reference.removeprefix(_DEFS)
    if name not in defs:
        return node
    beside = {keyword: value for keyword, value in node.items() if keyword != "$ref"}
    return _both(beside, resolved(defs[name], defs))


def kinds(schema: JsonValue, defs: Node) -> dict[str, Node]:
    """What a node accepts, by kind: null and string of an optional text, each with its own limits."""
    found: dict[str, Node] = {}
    for branch in _branches(resolved(schema, defs), defs):
        kind = _kind(branch)
        same = sum(known.partition(" #")[0] == kind for known in found)
        found[f"{kind} #{same + 1}" if same else kind] = {
            keyword: value if keyword in COMPARED else _spelt_out(value, defs)
            for keyword, value in branch.items()
            if keyword not in ("$defs", "default")
        }
    return found


def accepted(of_kinds: Mapping[str, Node]) -> frozenset[str]:
    """The kinds, and those that are within one that has no limits: a number may be an integer."""
    names = frozenset(of_kinds)
    unlimited = {
        name for name, node in of_kinds.items() if all(word == "type" or _is_silent(word) for word in node)
    }
    if ANYTHING in unlimited:
        return names | _ALL
    return names | {"integer"} if "number" in unlimited else names


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
    for word in ("anyOf", "oneOf"):
        branches = node.get(word)
        if isinstance(branches, list):
            beside = {keyword: value for keyword, value in node.items() if keyword != word}
            if word == "oneOf":
                beside[ONE_OF] = branches
            for branch in branches:
                yield from _branches(_both(beside, resolved(branch, defs)), defs)
            return
    types = node.get("type")
    if isinstance(types, list):
        yield from ({**node, "type": one} for one in types)
    elif types is None and (listed := values(node)) is not None:
        yield from _by_type(node, listed)
    else:
        yield node


def _both(beside: Node, branch: Node) -> Node:
    """A node that has to hold together with what stands beside it."""
    again = {k: v for k, v in beside.items() if k in branch and not _is_silent(k) and branch[k] != v}
    once = {keyword: value for keyword, value in beside.items() if keyword not in again}
    return {**branch, **once, **({"allOf": [branch.get("allOf"), again]} if again else {})}


def _by_type(node: Node, listed: list[JsonValue]) -> Iterator[Node]:
    """Listed values of no said type, by the type that they have."""
    by_type: dict[str, list[JsonValue]] = {}
    for value in listed:
        by_type.setdefault(_TYPE_OF[type(value)], []).append(value)
    rest = {keyword: value for keyword, value in node.items() if keyword not in ("const", "enum")}
    for name, of_type in by_type.items():
        yield {**rest, "type": name, "enum": of_type}


def _spelt_out(value: JsonValue, defs: Node, above: frozenset[str] = frozenset()) -> JsonValue:
    """With what every $ref in it names: it is compared as a whole."""
    if isinstance(value, list):
        return [_spelt_out(item, defs, above) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str) and reference not in above:
        return _spelt_out({**resolved(value, defs)}, defs, above | {reference})
    return {word: _spelt_out(inner, defs, above) for word, inner in value.items()}


def _is_silent(keyword: str) -> bool:
    return keyword in _SILENT or keyword.startswith("x-")


def _kind(node: Node) -> str:
    kind, form = node.get("type"), node.get("format")
    if not isinstance(kind, str):
        kind = "nothing" if "not" in node else ANYTHING
    return f"{kind} ({form})" if isinstance(form, str) else kind
