"""Two schemas of an event: every difference in what they accept, where it is and whom it breaks.

Who has the old schema breaks in one of two ways. A *writer* does where its events are refused now, or mean
something else; a *reader* where it meets events that it refuses. Unknown fields are ignored, so that one more
optional field breaks nobody. Titles, descriptions and the order of fields say nothing of what is accepted.
What cannot be told exactly (allOf, not, limits that meet) is said to break, never to be compatible.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import cast

from pydantic import JsonValue

from ekiben_contracts.documents.rendering import canonical
from ekiben_contracts.documents.schema import without_wording
from ekiben_contracts.evolution.changes import BOTH, NOBODY, READERS, WRITERS, Change, Party
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
_BY_NAME = ("patternProperties", "propertyNames", "maxProperties", "unevaluatedProperties")
"""What says something of fields that a node does not know."""


def changes(before: JsonValue, after: JsonValue) -> tuple[Change, ...]:
    """What `after` accepts otherwise than `before`, and what of it is no longer sensitive."""
    before, after = without_wording(before), without_wording(after)
    comparison = _Comparison(definitions(before), definitions(after))
    return tuple(dict.fromkeys(comparison.nodes("", before, after)))


@dataclass(frozen=True, slots=True)
class _Comparison:
    was: Node
    now: Node
    above: frozenset[str] = frozenset()
    """The pairs of nodes that are being compared: one that comes again inside of itself adds nothing."""

    def nodes(self, path: str, before: JsonValue, after: JsonValue) -> Iterator[Change]:
        pair = canonical([before, after])
        if pair not in self.above:
            yield from replace(self, above=self.above | {pair}).differences(path, before, after)

    def differences(self, path: str, before: JsonValue, after: JsonValue) -> Iterator[Change]:
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
            breaks = {*WRITERS, *(READERS if name in needed else _others_break(after))}
            yield Change(_join(path, name), _role(name in needed), "gone", _ordered(breaks))
        for name in more:
            breaks = {*_others_break(before), *(WRITERS if name in needs else NOBODY)}
            yield Change(_join(path, name), "absent", _role(name in needs), _ordered(breaks))
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
        if _text_of_default(old) != _text_of_default(new):
            told = [in_words(node["default"]) if "default" in node else "none" for node in (old, new)]
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
    """What is said of each field; nothing of one that is only required."""
    return {**{str(name): {} for name in _required(node)}, **as_node(node.get("properties"))}


def _text_of_default(node: Node) -> str | None:
    return canonical(node["default"]) if "default" in node else None


def _others_break(node: Node) -> tuple[Party, ...]:
    """Whom one optional field more breaks that has a node that does not know it: nobody, if it ignores it."""
    if any(keyword in node for keyword in _BY_NAME):
        return BOTH
    others = node.get("additionalProperties", True)
    if others is False:
        return READERS
    return NOBODY if others is True or others == {} else BOTH


def _ordered(breaks: AbstractSet[Party]) -> tuple[Party, ...]:
    return tuple(party for party in BOTH if party in breaks)


def _required(node: Node) -> list[JsonValue]:
    return cast("list[JsonValue]", node.get("required", []))


def _role(is_needed: bool) -> str:
    return "required" if is_needed else "optional"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
