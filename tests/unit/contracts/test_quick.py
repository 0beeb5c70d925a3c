"""Reading and writing by msgspec beside pydantic, the judge: it takes no more, and what it takes alike."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, JsonValue, ValidationError

from ekiben_contracts import quick, writing
from ekiben_contracts.catalog import EVENTS
from ekiben_contracts.event import Event, Json, Part
from ekiben_contracts.prediction import ModelsScored, PredictionRequested
from ekiben_contracts.quick import reader
from ekiben_contracts.twins import NoTwinError
from ekiben_contracts.writing import REFUSED
from unit.contracts.strategies import events, json_values, of_model, unhurried

QUICK = [event for event in EVENTS if event.is_quick]
READERS = {event: reader(event) for event in QUICK}
REQUEST = b'{"model":"m","entity_id":"e","features":{"a":%s}}'
SCORED = b'{"request_id":"r","model":"m","entity_id":"e","time_horizon":"","requested_at":%s,"outputs":[]}'

quick_events = st.sampled_from(QUICK).flatmap(of_model)
raw_values = st.one_of(
    json_values.map(lambda value: json.dumps(value).encode()),
    st.from_regex(rb"-?[0-9]{1,30}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.from_regex(rb'"[0-9TtZz:.,+ _-]{1,30}"', fullmatch=True),
    st.from_regex(
        rb'"20[0-9]{2}-[01][0-9]-[0-3][0-9][Tt _][0-2][0-9]:[0-6][0-9](:[0-6][0-9]([.,][0-9]{1,9})?)?'
        rb'(Z|z|[+-][0-2][0-9]:?[0-6][0-9])?"',
        fullmatch=True,
    ),
    st.binary(max_size=12),
    st.binary(max_size=6).map(lambda inside: b'"' + inside + b'"'),
    st.sampled_from([b"NaN", b"Infinity", b'"\\ud800"', b'"m\\n"', b'"m\n"', b"[" * 300 + b"]" * 300, b"{}"]),
)


def judged(event: type[Event], data: bytes) -> Event | None:
    """What pydantic reads of it; None where it refuses."""
    try:
        return event.__pydantic_validator__.validate_json(data, strict=True)
    except ValidationError:
        return None


def read(event: type[Event], data: bytes) -> Event | None:
    """What msgspec reads of it; None where it leaves it to pydantic."""
    try:
        return READERS[event](data)
    except REFUSED:
        return None


def agree(one: Any, other: Any) -> bool:
    """Equal in type and value; times to a microsecond, which pydantic cuts off and msgspec rounds."""
    if isinstance(one, datetime):
        return abs(one - other) <= timedelta(microseconds=1) and one.utcoffset() == other.utcoffset()
    if type(one) is not type(other):
        return False
    if isinstance(one, BaseModel):
        return one.__dict__.keys() == other.__dict__.keys() and agree(one.__dict__, other.__dict__)
    if isinstance(one, dict):
        return list(one) == list(other) and all(agree(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(agree, one, other))
    return one == other and repr(one) == repr(other)


def spoil(fields: dict[str, Any], data: st.DataObject) -> bytes:
    """The JSON of an object with something else at one place, or with one field more."""
    places = [*_places(fields), (fields, "unknown")]
    holder, place = data.draw(st.sampled_from(places))
    holder[place] = "@here@"
    return json.dumps(fields).encode().replace(b'"@here@"', data.draw(raw_values))


def _places(value: Any) -> Any:
    if isinstance(value, dict):
        steps = list(value)
    elif isinstance(value, list):
        steps = list(range(len(value)))
    else:
        return
    for step in steps:
        yield value, step
        yield from _places(value[step])


@unhurried
@given(quick_events)
def test_what_is_written_is_read_alike_by_both(event: Event):
    data = event.to_json()
    read_back = read(type(event), data)

    assert read_back is not None
    assert read_back == event
    assert agree(read_back, judged(type(event), data))


@unhurried
@given(st.data(), quick_events)
def test_what_msgspec_takes_pydantic_takes_and_reads_alike(data: st.DataObject, event: Event):
    value = spoil(json.loads(event.to_json()), data)
    found = read(type(event), value)

    if found is not None:
        assert agree(found, judged(type(event), value)), value


@pytest.mark.parametrize(
    ("event", "value"),
    [
        *((PredictionRequested, REQUEST % number) for number in (b"1", b"-0", b"1e2", b"1E400", b"9" * 25)),
        *(
            (PredictionRequested, REQUEST % text)
            for text in (b'"\xff"', b'"\\ud800"', b'"\x01"', b"01", b"NaN")
        ),
        (PredictionRequested, b'{"model":"m\\n","entity_id":"e"}'),
        (PredictionRequested, b'{"model":"","entity_id":"e"}'),
        (PredictionRequested, b'{"model":"%s","entity_id":"e"}' % (b"m" * 129)),
        (PredictionRequested, b'{"model":"m","entity_id":"e","attempt":1.0}'),
        (PredictionRequested, b'{"model":"m","entity_id":"e","attempt":0}'),
        (PredictionRequested, b'{"model":"m","model":"n","entity_id":"e"}'),
        (PredictionRequested, b'{"model":"m","entity_id":"e","other":{"x":NaN}}'),
        *(
            (ModelsScored, SCORED % time)
            for time in (b'"2026-11-22T10:11:12,5Z"', b"0", b'"2026-11-22T10:11:12"')
        ),
    ],
)
def test_of_the_hard_cases_none_is_taken_by_msgspec_alone(event: type[Event], value: bytes):
    found = read(event, value)

    assert found is None or agree(found, judged(event, value))


def test_the_cases_that_matter_are_read_by_msgspec():
    assert read(PredictionRequested, REQUEST % b"1") is not None
    assert read(ModelsScored, SCORED % b'"2026-11-22T10:11:12.123456Z"') is not None


@pytest.mark.parametrize(
    "value",
    [
        b'{"model":"m","entity_id":"e","a_later_version":1}',
        SCORED % b'"2026-11-22T10:11Z"',
        REQUEST % (b"1" + b"0" * 20),
    ],
)
def test_what_msgspec_refuses_is_read_by_pydantic(value: bytes):
    event = ModelsScored if b"outputs" in value else PredictionRequested

    assert read(event, value) is None
    assert event.from_json(value) == judged(event, value)


def test_a_part_of_a_microsecond_is_rounded():
    event = ModelsScored.from_json(SCORED % b'"2026-11-22T10:11:12.0000015Z"')

    assert event.requested_at.microsecond == 2


@unhurried
@given(events())
def test_what_msgspec_writes_is_what_pydantic_writes(event: Event):
    written = writing.dump(event)

    assert json.loads(written) == json.loads(event.model_dump_json())
    assert json.loads(written) == json.loads(event.to_json())


class Anything(Event):
    """Any JSON in an event."""

    type = "ekiben.test.anything.v1"
    what: Json


@unhurried
@given(json_values)
@example(2**70)
@example({"a": [-(2**64), {"b": 10**400}]})
def test_what_msgspec_cannot_write_is_written_by_pydantic(value: JsonValue):
    assert json.loads(Anything(what=value).to_json())["what"] == value


def test_half_a_pair_of_surrogates_is_refused_by_both():
    with pytest.raises(REFUSED):
        writing.dump(Anything(what="\ud800"))
    with pytest.raises(ValueError, match="surrogates"):
        Anything(what="\ud800").to_json()


def test_texts_that_match_are_remembered_but_not_without_end():
    names = quick.Fitting(re.compile("^m"))

    for number in range(5_000):
        names.learn(f"m{number}")
        assert f"m{number}" in names
    assert len(names) <= 1024
    with pytest.raises(msgspec.ValidationError):
        names.learn("-")


def test_of_a_field_that_only_pydantic_knows_there_is_no_twin():
    with pytest.raises(NoTwinError, match="JsonValue"):
        reader(Anything)


def test_a_constraint_that_only_pydantic_knows_is_not_left_out():
    class Multiple(Part):
        number: Any

    Multiple.model_fields["number"].annotation = int
    Multiple.model_fields["number"].metadata = [object()]
    with pytest.raises(NoTwinError, match="object"):
        reader(Multiple)
