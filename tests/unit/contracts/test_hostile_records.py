"""Whatever bytes a record holds: it is an event, or a ContractError that says expected and found."""

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ekiben_contracts.catalog import BY_TYPE, EVENTS
from ekiben_contracts.checked_in import read
from ekiben_contracts.cloudevents import STRUCTURED, CloudEvent, Headers, decode
from ekiben_contracts.documents import schema
from ekiben_contracts.errors import ContractError, InvalidEventError, Reason, UnreadableError
from ekiben_contracts.event import Event
from ekiben_contracts.topics import PREDICTION_REQUESTS, TOPICS, Topic
from unit.contracts.strategies import TOPIC_OF, events, json_values, unhurried

EXAMPLES = read().examples
NAMES = ["ce_type", "ce_id", "ce_source", "ce_specversion", "content-type", "traceparent", "other"]
REQUEST = b'{"model": "m", "entity_id": "e", "features": {"x": %s}}'
types = st.sampled_from([name.encode() for name in BY_TYPE])
contents = st.sampled_from([STRUCTURED.encode(), b"application/json", b"text/plain"])
headers = st.lists(
    st.tuples(st.sampled_from(NAMES), st.none() | st.binary(max_size=20))
    | st.tuples(st.just("ce_type"), types)
    | st.tuples(st.just("content-type"), contents),
    max_size=6,
)
json_bytes = json_values.map(lambda document: json.dumps(document).encode())
structured = st.fixed_dictionaries(
    {},
    optional={
        "specversion": st.just("1.0") | json_values,
        "type": st.sampled_from([*BY_TYPE]) | json_values,
        "id": st.text(max_size=9) | json_values,
        "source": json_values,
        "traceparent": json_values,
        "data": json_values,
        "data_base64": st.text(max_size=4),
    },
).map(lambda document: json.dumps(document).encode())
values = st.none() | st.binary() | json_bytes | structured


def outcome(value: bytes | None, headers: Headers, topic: Topic) -> CloudEvent | ContractError:
    """What is made of a record. Any other error fails the test."""
    try:
        return decode(value, headers, topic)
    except ContractError as error:
        return error


@unhurried
@given(values, headers, st.sampled_from(TOPICS))
@example(b"[" * 100_000, [], PREDICTION_REQUESTS)
@example(REQUEST % (b"9" * 5000), [], PREDICTION_REQUESTS)
@example(REQUEST % (b"9" * 4000), [], PREDICTION_REQUESTS)
@example(REQUEST % b'"\\ud800"', [], PREDICTION_REQUESTS)
@example(b"{}", [("content-type", None)], PREDICTION_REQUESTS)
def test_any_bytes_are_an_event_or_a_contract_error(value: bytes | None, headers: Headers, topic: Topic):
    result = outcome(value, headers, topic)

    if isinstance(result, CloudEvent):
        assert type(result.data) in topic.types
    else:
        kind = InvalidEventError if result.reason is Reason.INVALID else UnreadableError
        assert type(result) is kind
        assert "expected" in str(result)
        assert "found" in str(result)


@unhurried
@given(st.data(), events())
def test_a_broken_field_is_named_once_and_the_object_is_handed_back(data: st.DataObject, event: Event):
    fields = json.loads(event.to_json())
    name = data.draw(st.sampled_from(sorted(fields)))
    fields[name] = data.draw(json_values)
    result = outcome(json.dumps(fields).encode(), *address(event))
    assume(not isinstance(result, CloudEvent))

    assert isinstance(result, InvalidEventError)
    assert result.data == fields
    told = str(result).removeprefix(f"{event.type}: ").partition("; and ")[0]
    places = [line.partition(": expected ")[0] for line in told.split("; ") if ": expected " in line]
    assert places
    assert all(place.startswith(name) for place in places)
    assert len(set(places)) == len(places)


@unhurried
@given(st.data(), events())
def test_what_is_read_is_what_the_schema_accepts(data: st.DataObject, event: Event):
    fields = json.loads(event.to_json())
    fields[data.draw(st.sampled_from(sorted(fields)))] = data.draw(json_values)

    if isinstance(outcome(json.dumps(fields).encode(), *address(event)), CloudEvent):
        Draft202012Validator(schema(type(event))).validate(fields)


@unhurried
@given(st.data(), events(), st.sampled_from([math.nan, math.inf, -math.inf]))
def test_nan_and_infinity_never_come_through(data: st.DataObject, event: Event, bad: float):
    fields = json.loads(event.to_json())
    places = list(_places(fields))
    holder, place = places[data.draw(st.integers(0, len(places) - 1))]
    holder[place] = bad

    assert isinstance(outcome(json.dumps(fields).encode(), *address(event)), InvalidEventError)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_nan_is_refused_at_every_place_of_an_example(event: type[Event]):
    example = json.loads(EXAMPLES[event.type])
    places = list(_places(example))
    assert len(places) >= len(event.model_fields)

    for holder, place in places:
        kept, holder[place] = holder[place], math.nan
        result = outcome(json.dumps(example).encode(), [("ce_type", event.type.encode())], TOPIC_OF[event])
        assert isinstance(result, InvalidEventError), place
        holder[place] = kept


def address(event: Event) -> tuple[Headers, Topic]:
    """How a record of an event is addressed."""
    return [("ce_type", event.type.encode())], TOPIC_OF[type(event)]


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document that could hold another value."""
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for place, value in inside:
        yield node, place
        yield from _places(value)
