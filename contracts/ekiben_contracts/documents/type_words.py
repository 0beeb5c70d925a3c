"""A JSON Schema in words, for a cell of a table: `whole number (1 to 9)`, `list of Output`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from ekiben_contracts.documents.kinds import kind_of

Rules = Mapping[str, JsonValue]
_WORDING = ("title", "description", "default", "x-sensitive")
_PLAIN = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
}
_RANGES = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " items"),
)
_BOUNDS = (
    ("exclusiveMinimum", "more than {}"),
    ("exclusiveMaximum", "less than {}"),
    ("pattern", "matching `{}`"),
)


class TypeWords:
    """Puts the schemas of one set of definitions into words; a part and a kind become links."""

    def __init__(self, definitions: Mapping[str, JsonValue]) -> None:
        self._definitions = definitions

    def of(self, rules: Rules) -> str:
        """What is accepted."""
        bare = {keyword: value for keyword, value in rules.items() if keyword not in _WORDING}
        kind = kind_of(bare)
        return link(kind.name) if kind else self.spelt_out(bare)

    def spelt_out(self, rules: Rules) -> str:
        """The same, where a kind itself is told."""
        reference = rules.get("$ref")
        if isinstance(reference, str):
            definition = as_object(self._definitions[reference])
            return link(reference) if "properties" in definition else self.of(definition)
        together = rules.get("allOf")
        if isinstance(together, list):
            return " and ".join(self.of(as_object(each)) for each in together)
        choices = self._choices(rules)
        return _either(choices) if choices else self._of_type(rules)

    def _choices(self, rules: Rules) -> Sequence[str]:
        match rules:
            case {"const": value}:
                return [quoted(value)]
            case {"enum": list(values)}:
                return [quoted(value) for value in values]
            case {"anyOf": list(rules_of_each)} | {"oneOf": list(rules_of_each)}:
                return [self.of(as_object(each)) for each in rules_of_each]
            case {"type": list(names)}:
                return [self.of({**rules, "type": name}) for name in names]
            case _:
                return []

    def _of_type(self, rules: Rules) -> str:
        match rules.get("type"):
            case "array":
                return f"list of {self.of(as_object(rules.get('items')))}{_bounds(rules)}"
            case "object":
                return self._of_object(rules)
            case str(name):
                return f"{_PLAIN[name]}{_bounds(rules)}"
            case _:
                return "any JSON"

    def _of_object(self, rules: Rules) -> str:
        match rules:
            case {"patternProperties": dict(by_pattern)} if by_pattern:
                named: Rules = {"type": "string", **as_object(rules.get("propertyNames"))}
                return "object of " + " and ".join(
                    f"{self.of(as_object(value))} by {self.of({'pattern': pattern, **named})}"
                    for pattern, value in by_pattern.items()
                )
            case {"additionalProperties": value}:
                return f"object of {self.of(as_object(value))}"
            case _:
                return "object"


def link(name: str) -> str:
    """A link to the heading of this name, by the anchor that Markdown's readers give it."""
    return f"[{name}](#{name.lower().replace('.', '').replace(' ', '-')})"


def quoted(value: JsonValue) -> str:
    """A value as it stands in JSON."""
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def as_object(node: JsonValue) -> dict[str, JsonValue]:
    """A JSON object; an empty one for anything else."""
    return node if isinstance(node, dict) else {}


def _either(choices: Sequence[str]) -> str:
    *others, last = choices
    return f"{', '.join(others)} or {last}" if others else last


def _bounds(rules: Rules) -> str:
    ranges = (_range(rules.get(low), rules.get(high), unit) for low, high, unit in _RANGES)
    others = (words.format(rules[keyword]) for keyword, words in _BOUNDS if keyword in rules)
    told = ", ".join(each for each in (*ranges, *others) if each)
    return f" ({told})" if told else ""


def _range(low: JsonValue, high: JsonValue, unit: str) -> str:
    if low is not None and high is not None:
        return f"{low} to {high}{unit}"
    if low is not None:
        return f"at least {low}{unit}"
    return "" if high is None else f"at most {high}{unit}"
