"""Each way to change an event: found, told with its place, and whom it breaks."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, create_model

from ekiben_contracts.catalog import EVENTS
from ekiben_contracts.documents import schema, without_wording
from ekiben_contracts.evolution.comparing import changes

ANY_JSON = "#/$defs/JsonValue"


class Inside(BaseModel):
    low: float


class OtherInside(BaseModel):
    low: float
    high: float | None = None


class StrictInside(BaseModel):
    low: float
    high: float


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


class Red(StrEnum):
    RED = "red"


def of(**fields: Any) -> Any:
    return create_model("Changing", **fields).model_json_schema()


def bounded(**bounds: Any) -> Any:
    return Annotated[int, Field(**bounds)]


A_CHANGE = {
    "a field more, optional": (
        of(a=(int, ...)),
        of(a=(int, ...), b=(str, "x")),
        ["b: was absent, is optional (compatible)"],
    ),
    "a field more, required": (
        of(a=(int, ...)),
        of(a=(int, ...), b=(str, ...)),
        ["b: was absent, is required (breaks writers)"],
    ),
    "a required field removed": (
        of(a=(int, ...), b=(str, ...)),
        of(a=(int, ...)),
        ["b: was required, is gone (breaks readers and writers)"],
    ),
    "an optional field removed": (
        of(a=(int, ...), b=(str, "x")),
        of(a=(int, ...)),
        ["b: was optional, is gone (breaks writers)"],
    ),
    "renamed": (
        of(a=(int, ...), b=(str, ...)),
        of(a=(int, ...), c=(str, ...)),
        ["b: was required, is renamed to c (breaks readers and writers)"],
    ),
    "made required": (
        of(a=(int, 1)),
        of(a=(int, ...)),
        ["a: was optional, is required (breaks writers)"],
    ),
    "made optional": (of(a=(int, ...)), of(a=(int, 1)), ["a: was required, is optional (breaks readers)"]),
    "a type narrowed": (
        of(a=(int | None, ...)),
        of(a=(int, ...)),
        ["a: was integer or null, is integer (breaks writers)"],
    ),
    "a number narrowed": (
        of(a=(float, ...)),
        of(a=(int, ...)),
        ["a: was number, is integer (breaks writers)"],
    ),
    "a type widened": (
        of(a=(int, ...)),
        of(a=(int | str, ...)),
        ["a: was integer, is integer or string (breaks readers)"],
    ),
    "anything narrowed": (
        of(a=(Any, ...)),
        of(a=(str, ...)),
        ["a: was anything, is string (breaks writers)"],
    ),
    "a type changed": (
        of(a=(int, ...)),
        of(a=(str, ...)),
        ["a: was integer, is string (breaks readers and writers)"],
    ),
    "an enum value removed": (
        of(a=(Color, ...)),
        of(a=(Red, ...)),
        ['a: values: was "blue", is gone (breaks writers)'],
    ),
    "an enum value added": (
        of(a=(Literal["red"], ...)),
        of(a=(Literal["red", "blue"], ...)),
        ['a: values: was absent, is "blue" (breaks readers)'],
    ),
    "an enum value replaced": (
        of(a=(Literal["red", "green"], ...)),
        of(a=(Literal["red", "blue"], ...)),
        ['a: values: was "green", is "blue" (breaks readers and writers)'],
    ),
    "any text listed": (
        of(a=(str, ...)),
        of(a=(Red, ...)),
        ['a: values: was any, is "red" (breaks writers)'],
    ),
    "a bound tightened": (
        of(a=(bounded(le=10), ...)),
        of(a=(bounded(le=9), ...)),
        ["a: maximum: was 10, is 9 (breaks writers)"],
    ),
    "a bound loosened": (
        of(a=(bounded(ge=2), ...)),
        of(a=(bounded(ge=1), ...)),
        ["a: minimum: was 2, is 1 (breaks readers)"],
    ),
    "a bound more": (
        of(a=(int, ...)),
        of(a=(bounded(gt=0), ...)),
        ["a: exclusiveMinimum: was none, is 0 (breaks writers)"],
    ),
    "another pattern": (
        of(a=(Annotated[str, Field(pattern="^a")], ...)),
        of(a=(Annotated[str, Field(pattern="^b")], ...)),
        ['a: pattern: was "^a", is "^b" (breaks readers and writers)'],
    ),
    "another default": (
        of(a=(str, "short_term")),
        of(a=(str, "long_term")),
        ['a: default: was "short_term", is "long_term" (breaks readers and writers)'],
    ),
    "inside a list": (
        of(a=(list[Inside] | None, None)),
        of(a=(list[StrictInside] | None, None)),
        ["a[].high: was absent, is required (breaks writers)"],
    ),
    "inside a part": (
        of(a=(Inside, ...)),
        of(a=(OtherInside, ...)),
        ["a.high: was absent, is optional (compatible)"],
    ),
    "inside a mapping": (
        of(a=(dict[str, int], ...)),
        of(a=(dict[str, str], ...)),
        ["a{}: was integer, is string (breaks readers and writers)"],
    ),
    "names of a mapping": (
        of(a=(dict[Annotated[str, Field(max_length=9)], int], ...)),
        of(a=(dict[Annotated[str, Field(max_length=8)], int], ...)),
        ["a{} name: maxLength: was 9, is 8 (breaks writers)"],
    ),
}


@pytest.mark.parametrize(("before", "after", "told"), A_CHANGE.values(), ids=A_CHANGE)
def test_a_change_is_told_with_its_place_and_whom_it_breaks(before, after, told):
    assert [str(change) for change in changes(before, after)] == told
    assert changes(before, before) == changes(after, after) == ()


def field(schema: Any, **beside: Any) -> Any:
    return {"type": "object", "properties": {"a": schema}, **beside}


SHORT_NUMBER = {"type": "number", "maximum": 1}
LONG = "x" * 70
TEXT = {"type": "string"}
SHORT, LONGER = {"type": "string", "maxLength": 3}, {"type": "string", "maxLength": 5}
NONE = {"type": "null"}


def tupled(inside: type[BaseModel]) -> Any:
    return create_model("Changing", a=(tuple[inside, int], ...)).model_json_schema()


JUDGED = {
    "a default, late in its text": (
        field({**TEXT, "default": LONG + "a"}),
        field({**TEXT, "default": LONG + "b"}),
        {"readers", "writers"},
    ),
    "a default, in what it calls a title": (
        field({"default": {"title": "a"}}),
        field({"default": {"title": "b"}}),
        {"readers", "writers"},
    ),
    "integers beside limited numbers": (
        field(SHORT_NUMBER),
        field({"anyOf": [{"type": "integer"}, SHORT_NUMBER]}),
        {"readers"},
    ),
    "integers no longer beside limited numbers": (
        field({"anyOf": [{"type": "integer"}, SHORT_NUMBER]}),
        field(SHORT_NUMBER),
        {"writers"},
    ),
    "anything limited": (field({"maxLength": 3}), field(TEXT), {"readers", "writers"}),
    "a field more, where old readers refuse it": (
        {**field(TEXT), "additionalProperties": False},
        {"type": "object", "properties": {"a": TEXT, "b": TEXT}, "additionalProperties": False},
        {"readers"},
    ),
    "a field more, where others are of a type": (
        {"type": "object", "additionalProperties": {"type": "number"}},
        field(TEXT, additionalProperties={"type": "number"}),
        {"readers", "writers"},
    ),
    "an optional field less, where new readers refuse others": (
        field(TEXT, additionalProperties=False),
        {"type": "object", "properties": {}, "additionalProperties": False},
        {"readers", "writers"},
    ),
    "a field that is only required": (
        {"type": "object"},
        {"type": "object", "required": ["a"]},
        {"writers"},
    ),
    "a limit beside alternatives": (
        field({"anyOf": [TEXT, NONE], "maxLength": 5}),
        field({"anyOf": [TEXT, NONE], "maxLength": 3}),
        {"writers"},
    ),
    "a looser limit beside a tighter one": (
        field({"anyOf": [SHORT, NONE], "maxLength": 2}),
        field({"anyOf": [SHORT, NONE], "maxLength": 5}),
        {"readers", "writers"},
    ),
    "1 and true": (field({"enum": [1, "a"]}), field({"enum": [True, "a"]}), {"readers", "writers"}),
    "1 and true of one type": (
        field({"type": "integer", "enum": [1, 2]}),
        field({"type": "integer", "enum": [True, 2]}),
        {"readers", "writers"},
    ),
    "any text to values of no said type": (field(TEXT), field({"enum": ["a", 1]}), {"readers", "writers"}),
    "values of no said type to any text": (field({"enum": ["a", 1]}), field(TEXT), {"readers", "writers"}),
    "a form of no said type": (field({}), field({"format": "date"}), {"readers", "writers"}),
    "a part of a tuple": (tupled(Inside), tupled(StrictInside), {"readers", "writers"}),
    "a part of what all must hold": (
        field({"allOf": [{"$ref": "#/$defs/A"}]}, **{"$defs": {"A": LONGER}}),
        field({"allOf": [{"$ref": "#/$defs/A"}]}, **{"$defs": {"A": SHORT}}),
        {"readers", "writers"},
    ),
    "one that exactly may hold": (
        field({"anyOf": [SHORT, LONGER]}),
        field({"oneOf": [SHORT, LONGER]}),
        {"readers", "writers"},
    ),
}


@pytest.mark.parametrize(("before", "after", "broken"), JUDGED.values(), ids=JUDGED)
def test_what_breaks_somebody_is_never_said_to_be_compatible(before, after, broken):
    assert {party for change in changes(before, after) for party in change.breaks} == broken
    assert changes(before, before) == changes(after, after) == ()


class Tree(BaseModel):
    label: str
    below: list[Tree] = []


class TreeOfNumbers(BaseModel):
    label: int
    below: list[TreeOfNumbers] = []


def test_a_part_that_holds_itself_is_compared_to_its_end():
    old, new = Tree.model_json_schema(), TreeOfNumbers.model_json_schema()

    assert changes(old, old) == ()
    assert [str(change) for change in changes(old, new)] == [
        "label: was string, is integer (breaks readers and writers)",
        "below[].label: was string, is integer (breaks readers and writers)",
    ]


def test_the_same_change_in_two_fields_is_told_of_both():
    told = [
        change.path
        for change in changes(of(a=(Inside, ...), b=(Inside, ...)), of(a=(Tree, ...), b=(Tree, ...)))
    ]

    assert {"a.low", "b.low"} <= {*told}


def test_the_name_of_a_part_its_wording_and_the_order_of_fields_change_nothing():
    class Renamed(BaseModel):
        low: Annotated[float, Field(title="Low", description="The lower end.")]

    assert changes(of(a=(Inside, ...), b=(int, ...)), of(b=(int, ...), a=(Renamed, ...))) == ()


def test_a_mark_that_is_taken_away_is_a_change_and_one_more_is_none():
    def marked(*mark: Any) -> Any:
        (extra,) = [{"x-sensitive": each} for each in mark] or [{}]
        return of(a=(Annotated[str, Field(json_schema_extra=extra)], ...))

    assert changes(marked(), marked(True)) == changes(marked("by-feature"), marked(True)) == ()
    for was, now in (((True,), ()), (("by-feature",), ()), ((True,), ("by-feature",))):
        (change,) = changes(marked(*was), marked(*now))
        assert (change.path, change.is_breaking) == ("a: x-sensitive", True)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_no_part_of_a_schema_can_be_changed_unseen(event):
    promised = without_wording(schema(event))

    edits = list(edited(promised))

    assert len(edits) > len(event.model_fields)
    for what, changed in edits:
        assert changes(promised, changed), what
        assert changes(changed, promised) or "x-sensitive" in what, what


def edited(document: Any) -> Iterator[tuple[str, Any]]:
    """The schema with one keyword, field or value taken out, wherever that accepts something else."""
    for path in _places(document):
        less = deepcopy(document)
        holder = less
        for step in path[:-1]:
            holder = holder[step]
        is_told_by_its_values = path[-1] == "type" and not holder.keys().isdisjoint(("enum", "const"))
        if _means_something(path, holder.pop(path[-1])) and not is_told_by_its_values:
            yield f"{path} taken out", less


def _means_something(path: tuple[Any, ...], taken: Any) -> bool:
    if path[-1] in ("$schema", "$id", "$defs") or path[-2:-1] == ("$defs",):
        return False
    return taken not in ({"$ref": ANY_JSON}, ANY_JSON) and (path[-1] == "default" or taken is not True)


def _places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, below in steps:
        yield (*path, step)
        if step not in ("default", "const"):
            yield from _places(below, (*path, step))
