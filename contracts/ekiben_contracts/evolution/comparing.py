"""Two schemas of an event: every difference in what they accept, where it is and whom it breaks.

Who has the old schema breaks in one of two ways. A *writer* does where its events are refused now, or mean
something else; a *reader* where it meets events that it refuses. Unknown fields are ignored, so that one more
optional field breaks nobody. Titles, descriptions and the order of fields say nothing of what is accepted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue

from ekiben_contracts.evolution.changes import BOTH, NOBODY, READERS, WRITERS, Change
from ekiben_contracts.evolution.limits import limit_changes
from ekiben_contracts.evolution.shapes import (
    Node,
    accepted,
    as_node,
    definitions,
    in_words,
    kinds,
    resolved,
)

_WHOLE = "the whole"


def changes(before: JsonValue, after: JsonValue) -> tuple[Change, ...]:
    """What `after` accepts otherwise than `before`; empty exactly where they accept the same."""
    comparison = _Comparison(definitions(before), definitions(after))
    return tuple(comparison.nodes("", before, after))


@dataclass(frozen=True, slots=True)
class _Comparison:
    was: Node
    now: Node

    def nodes(self, path: str, before: JsonValue, after: JsonValue) -> Iterator[Change]:
        old, new = kinds(before, self.was), kinds(after, self.now)
        gone, more = accepted(old) - accepted(new), accepted(new) - accepted(old)
        if old.keys() != new.keys():
            breaks = (*(READERS if more else ()), *(WRITERS if gone else ()))
            yield Change(path or _WHOLE, " or ".join(old), " or ".join(new), breaks)
        for kind in old:
            if kind in new:
                yield from limit_changes(path or _WHOLE, old[kind], new[kind])
                yield from self._fields(path, old[kind], new[kind])
                yield from self._inside(path, old[kind], new[kind])

    def _fields(self, path: str, before: Node, after: Node) -> Iterator[Change]:
        old, new = _properties(before), _properties(after)
        needed, needs = _required(before), _required(after)
        gone, more = [n for n in old if n not in new], [n for n in new if n not in old]
        same = [name for name in more if len(gone) == 1 and self._is_same(old[gone[0]], new[name])]
        if len(same) == 1:
            yield Change(_join(path, gone[0]), _role(gone[0] in needed), f"renamed to {same[0]}", BOTH)
            gone, more = [], [name for name in more if name != same[0]]
        for name in gone:
            yield Change(
                _join(path, name), _role(name in needed), "gone", BOTH if name in needed else WRITERS
            )
        for name in more:
            yield Change(
                _join(path, name), "absent", _role(name in needs), WRITERS if name in needs else NOBODY
            )
        for name in old:
            if name in new:
                yield from self._field(_join(path, name), old[name], new[name], name in needed, name in needs)

    def _field(
        self, path: str, before: JsonValue, after: JsonValue, was_needed: bool, is_needed: bool
    ) -> Iterator[Change]:
        if was_needed != is_needed:
            yield Change(path, _role(was_needed), _role(is_needed), WRITERS if is_needed else READERS)
        elif not is_needed:
            yield from self._default(path, before, after)
        yield from self.nodes(path, before, after)

    def _default(self, path: str, before: JsonValue, after: JsonValue) -> Iterator[Change]:
        """Who leaves it out means what was, and is understood as what is."""
        old, new = resolved(before, self.was), resolved(after, self.now)
        told = [in_words(node["default"]) if "default" in node else "none" for node in (old, new)]
        if told[0] != told[1]:
            yield Change(f"{path}: default", told[0], told[1], BOTH)

    def _inside(self, path: str, before: Node, after: Node) -> Iterator[Change]:
        """Items of an array, values and names of a mapping."""
        for keyword, below in (("items", "[]"), ("additionalProperties", "{}"), ("propertyNames", "{} name")):
            if keyword in before or keyword in after:
                yield from self.nodes(path + below, before.get(keyword), after.get(keyword))
        old, new = as_node(before.get("patternProperties")), as_node(after.get("patternProperties"))
        for pattern in [*old, *(pattern for pattern in new if pattern not in old)]:
            where = f"{path}{{{pattern}}}"
            if pattern in old and pattern in new:
                yield from self.nodes(where, old[pattern], new[pattern])
            else:
                told = ("a mapping", "gone") if pattern in old else ("absent", "a mapping")
                yield Change(where, *told, BOTH)

    def _is_same(self, before: JsonValue, after: JsonValue) -> bool:
        return not any(self._field("", before, after, was_needed=False, is_needed=False))


def _properties(node: Node) -> Node:
    return as_node(node.get("properties"))


def _required(node: Node) -> list[JsonValue]:
    return cast("list[JsonValue]", node.get("required", []))


def _role(is_needed: bool) -> str:
    return "required" if is_needed else "optional"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
