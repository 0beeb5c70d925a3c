"""What within one kind of value is accepted: bounds, listed values, patterns."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from ekiben_contracts.documents.rendering import canonical
from ekiben_contracts.evolution.changes import BOTH, READERS, WRITERS, Change, Party
from ekiben_contracts.evolution.shapes import COMPARED, ONE_OF, Node, in_words, values
from ekiben_contracts.sensitive import KEYWORD, SENSITIVE

LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_ELSEWHERE = COMPARED | {"type", "format", "enum", "const", "$schema", "$id"}


def limit_changes(path: str, was: Node, now: Node) -> Iterator[Change]:
    """Tighter limits break writers, looser ones readers, and what cannot be told both."""
    yield from _value_changes(path, values(was), values(now))
    yield from _mark_changes(path, was.get(KEYWORD), now.get(KEYWORD))
    for keyword in sorted(was.keys() | now.keys()):
        if keyword in _ELSEWHERE or keyword.startswith("x-"):
            continue
        old, new = was.get(keyword), now.get(keyword)
        if canonical(old) != canonical(new):
            yield Change(f"{path}: {keyword}", _words(old), _words(new), _who_breaks(keyword, old, new))


def _mark_changes(path: str, was: JsonValue, now: JsonValue) -> Iterator[Change]:
    """Less that is sensitive: what its writers hid would be shown. More of it breaks nobody."""
    if was is not None and was != now and now != SENSITIVE[KEYWORD]:
        yield Change(f"{path}: {KEYWORD}", _words(was), _words(now), BOTH)


def _value_changes(path: str, was: list[JsonValue] | None, now: list[JsonValue] | None) -> Iterator[Change]:
    if was is None or now is None:
        if was is not now:
            breaks = WRITERS if was is None else READERS
            yield Change(f"{path}: values", _listed(was), _listed(now), breaks)
        return
    old, new = {canonical(value): value for value in was}, {canonical(value): value for value in now}
    removed = [value for text, value in old.items() if text not in new]
    added = [value for text, value in new.items() if text not in old]
    if removed or added:
        breaks = (*(READERS if added else ()), *(WRITERS if removed else ()))
        told = _listed(removed) if removed else "absent", _listed(added) if added else "gone"
        yield Change(f"{path}: values", *told, breaks)


def _who_breaks(keyword: str, was: JsonValue, now: JsonValue) -> tuple[Party, ...]:
    if keyword == ONE_OF:
        return BOTH
    if was is None:
        return WRITERS
    if now is None:
        return READERS
    if isinstance(was, int | float) and isinstance(now, int | float):
        if keyword in LOWER:
            return WRITERS if now > was else READERS
        if keyword in UPPER:
            return WRITERS if now < was else READERS
    return BOTH


def _listed(found: list[JsonValue] | None) -> str:
    return "any" if found is None else ", ".join(map(in_words, found))


def _words(value: JsonValue) -> str:
    return "none" if value is None else in_words(value)
