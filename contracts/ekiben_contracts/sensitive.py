"""What of an event is shown to nobody who has not asked for it: marks on fields, and what they hide.

A field is marked in its class, and so in its JSON Schema, by the keyword `x-sensitive`: true hides the
field, "by-feature" what it says of each feature, but for those that are known to be harmless.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from pydantic import BaseModel, JsonValue

KEYWORD: Final = "x-sensitive"
_BY_FEATURE: Final = "by-feature"
SENSITIVE: Final[dict[str, JsonValue]] = {KEYWORD: True}
"""For `Field(json_schema_extra=...)`: nobody sees the value unasked."""
SENSITIVE_BY_FEATURE: Final[dict[str, JsonValue]] = {KEYWORD: _BY_FEATURE}
"""The same for an object by feature: which of them are harmless, the signature of the model says."""

REDACTED: Final = "[redacted]"
_HEAD: Final = 16
"""Characters by which a text is known again where it was cut."""
_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}


@dataclass(frozen=True, slots=True)
class Redacted:
    """JSON without what is sensitive, and the texts that were taken out of it."""

    value: JsonValue
    hidden: frozenset[str]

    def mask(self, text: str) -> str:
        """A text about the same event, without what was taken out, as far as it stands there word by word.

        Also as Python or JSON would quote it; of a long text that was cut, the rest of its line goes too.
        """
        forms = {form for secret in self.hidden for form in _forms(secret)}
        there = sorted((form for form in forms if form[:_HEAD] in text), key=len, reverse=True)
        return re.sub("|".join(map(_pattern, there)), REDACTED, text) if there else text


def _forms(secret: str) -> Iterator[str]:
    for form in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]):
        if any(char.isalnum() for char in form):
            yield form


def _pattern(form: str) -> str:
    """Whole words: a hidden 4 leaves 2014 alone."""
    head, rest = form[:_HEAD], form[_HEAD:]
    before = r"(?<!\w)" if _is_of_a_word(form[0]) else ""
    if rest:
        return f"{before}{re.escape(head)}(?:{re.escape(rest)}|[^\n]*)"
    return before + re.escape(head) + (r"(?!\w)" if _is_of_a_word(form[-1]) else "")


def _is_of_a_word(char: str) -> bool:
    return char.isalnum() or char == "_"


@cache
def marks(model: type[BaseModel]) -> frozenset[str]:
    """The fields of a model that are marked."""
    extras = ((name, field.json_schema_extra) for name, field in model.model_fields.items())
    return frozenset(name for name, extra in extras if isinstance(extra, dict) and KEYWORD in extra)


@cache
def marked_within(model: type[BaseModel]) -> frozenset[str]:
    """The same, with those of its parts."""
    whole = model.model_json_schema()
    parts = [whole, *whole.get("$defs", {}).values()]
    fields = [field for part in parts for field in part.get("properties", {}).items()]
    return frozenset(name for name, rules in fields if KEYWORD in rules)


def redact(value: JsonValue, schema: JsonValue, harmless: Container[str]) -> Redacted:
    """Take out what its schema marks, what its schema does not know, and what is not as the schema says.

    `harmless` are the features that may be shown. Null is shown: that something is absent often is why.
    """
    return _Redaction(schema, harmless).of(value)


class _Redaction:
    """One walk through a value and its JSON Schema, side by side."""

    def __init__(self, schema: JsonValue, harmless: Container[str]) -> None:
        self._schema = schema
        self._definitions = _object(_object(schema).get("$defs"))
        self._harmless = harmless
        self._hidden: set[str] = set()

    def of(self, value: JsonValue) -> Redacted:
        return Redacted(self._walk(value, self._schema), frozenset(self._hidden))

    def _walk(self, value: JsonValue, schema: JsonValue) -> JsonValue:
        rules = self._resolve(_object(schema))
        mark = rules.get(KEYWORD)
        if mark == _BY_FEATURE:
            return self._by_feature(value, rules)
        if mark:
            return self._hide(value)
        if isinstance(value, dict):
            return self._walk_fields(value, self._branch(rules, "properties", "additionalProperties"))
        if isinstance(value, list):
            each = self._branch(rules, "items")
            return self._hide(value) if each is None else [self._walk(item, each["items"]) for item in value]
        return value if self._accepts(rules, value) else self._hide(value)

    def _accepts(self, rules: dict[str, JsonValue], value: JsonValue) -> bool:
        """Whether the JSON type of a scalar is one that the schema wants; where it wants none, any is."""
        alternatives = rules.get("anyOf")
        if isinstance(alternatives, list):
            return any(self._accepts(self._resolve(_object(each)), value) for each in alternatives)
        wanted = rules.get("type")
        names = wanted if isinstance(wanted, list) else [wanted]
        return wanted is None or any(isinstance(name, str) and _is_a(value, name) for name in names)

    def _walk_fields(self, fields: dict[str, JsonValue], rules: dict[str, JsonValue] | None) -> JsonValue:
        if rules is None:
            return self._hide(fields)
        known, others = _object(rules.get("properties")), rules.get("additionalProperties")
        return {
            name: self._walk(value, known[name])
            if name in known
            else self._hide(value)
            if others is None
            else self._walk(value, others)
            for name, value in fields.items()
        }

    def _by_feature(self, value: JsonValue, rules: dict[str, JsonValue]) -> JsonValue:
        """Of each feature, or, where the schema says so, of each model and then each feature."""
        if not isinstance(value, dict):
            return self._hide(value)
        branch = self._branch(rules, "additionalProperties") or {}
        each = self._resolve(_object(branch.get("additionalProperties")))
        if self._branch(each, "additionalProperties") is not None:
            return {model: self._by_feature(inner, each) for model, inner in value.items()}
        return {
            name: inner
            if name in self._harmless and not isinstance(inner, dict | list)
            else self._hide(inner)
            for name, inner in value.items()
        }

    def _branch(self, rules: dict[str, JsonValue], *keywords: str) -> dict[str, JsonValue] | None:
        """The first alternative that describes such a value; None where none does."""
        if any(keyword in rules for keyword in keywords):
            return rules
        alternatives = rules.get("anyOf")
        for alternative in alternatives if isinstance(alternatives, list) else ():
            found = self._branch(self._resolve(_object(alternative)), *keywords)
            if found is not None:
                return found
        return None

    def _resolve(self, rules: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """With what it refers to, which stands below it where both say something."""
        reference = rules.get("$ref")
        if not isinstance(reference, str):
            return rules
        named = _object(self._definitions.get(reference.rpartition("/")[2]))
        return {**self._resolve(named), **{key: value for key, value in rules.items() if key != "$ref"}}

    def _hide(self, value: JsonValue) -> JsonValue:
        if value is None:
            return None
        self._remember(value)
        return REDACTED

    def _remember(self, value: JsonValue) -> None:
        match value:
            case dict():
                for inner in value.values():
                    self._remember(inner)
            case list():
                for inner in value:
                    self._remember(inner)
            case None | bool():
                pass
            case _:
                self._hidden.add(str(value))


def _is_a(value: JsonValue, name: str) -> bool:
    if value is None or isinstance(value, bool):
        return value is None or name == "boolean"
    return isinstance(value, _TYPES.get(name, ()))


def _object(node: JsonValue) -> dict[str, JsonValue]:
    return node if isinstance(node, dict) else {}
