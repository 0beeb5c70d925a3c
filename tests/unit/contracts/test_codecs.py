"""What is written can be read: every event of every type, in every mode."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ekiben_contracts.catalog import EVENTS
from ekiben_contracts.cloudevents import STRUCTURED, CloudEvent, decode, encode, encode_structured
from ekiben_contracts.documents import schema
from ekiben_contracts.event import Event
from ekiben_contracts.prediction import PredictionRequested
from unit.contracts.strategies import TOPIC_OF, events, json_values, times, unhurried

NOW = datetime(2013, 9, 3, 12, 58, tzinfo=UTC)
VALIDATORS = {event: Draft202012Validator(schema(event)) for event in EVENTS}
ids = st.text(min_size=1, max_size=256)
sources = st.text(max_size=50)
traces = st.none() | st.just("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")


@unhurried
@given(events(), ids, sources, times, traces)
def test_binary_mode_reads_what_it_wrote(
    event: Event, id: str, source: str, time: datetime, trace: str | None
):
    value, headers = encode(event, id=id, source=source, time=time, traceparent=trace)

    assert decode(value, headers, TOPIC_OF[type(event)]) == CloudEvent(event, id, source, trace)


@unhurried
@given(events(), ids, sources, times, traces)
def test_structured_mode_reads_what_it_wrote(
    event: Event, id: str, source: str, time: datetime, trace: str | None
):
    value, headers = encode_structured(event, id=id, source=source, time=time, traceparent=trace)

    assert decode(value, headers, TOPIC_OF[type(event)]) == CloudEvent(event, id, source, trace)


@unhurried
@given(events())
def test_both_modes_carry_the_same_data(event: Event):
    binary, _ = encode(event, id="1", source="test", time=NOW)
    structured, _ = encode_structured(event, id="1", source="test", time=NOW)

    assert json.loads(structured)["data"] == json.loads(binary)


@unhurried
@given(events())
def test_the_schema_accepts_what_is_written(event: Event):
    VALIDATORS[type(event)].validate(json.loads(event.to_json()))


@unhurried
@given(events(), st.dictionaries(st.text(max_size=8).map("x-{}".format), json_values, min_size=1, max_size=3))
def test_fields_that_are_not_known_are_ignored(event: Event, unknown: dict[str, object]):
    value, headers = encode(event, id="1", source="test", time=NOW)
    widened = json.dumps(json.loads(value) | unknown).encode()

    assert decode(widened, headers, TOPIC_OF[type(event)]).data == event


@unhurried
@given(events())
def test_a_topic_of_one_type_reads_bare_json(event: Event):
    topic = TOPIC_OF[type(event)]
    if topic.only_type is not None:
        assert decode(event.to_json(), [], topic) == CloudEvent(event)


def test_binary_mode_has_the_headers_of_cloudevents():
    event = PredictionRequested(model="flight-delay", entity_id="UA-1545")
    time = datetime(2013, 9, 3, 8, 58, 0, 123_456, tzinfo=timezone(timedelta(hours=-4)))

    _, headers = encode(event, id="7", source="users", time=time, traceparent="00-a-b-01")

    assert headers == [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"7"),
        ("ce_type", b"ekiben.prediction.requested.v1"),
        ("ce_source", b"users"),
        ("ce_time", b"2013-09-03T12:58:00.123Z"),
        ("content-type", b"application/json"),
        ("traceparent", b"00-a-b-01"),
    ]


def test_structured_mode_is_one_json_object():
    event = PredictionRequested(model="flight-delay", entity_id="UA-1545")

    value, headers = encode_structured(event, id="7", source="users", time=NOW)

    assert headers == [("content-type", STRUCTURED.encode())]
    assert json.loads(value) == {
        "specversion": "1.0",
        "id": "7",
        "type": "ekiben.prediction.requested.v1",
        "source": "users",
        "time": "2013-09-03T12:58:00.000Z",
        "datacontenttype": "application/json",
        "data": json.loads(event.to_json()),
    }


def test_a_time_without_its_offset_is_not_written():
    event = PredictionRequested(model="flight-delay", entity_id="UA-1545")

    with pytest.raises(ValueError, match=r"expected a time with its offset, found 2013-09-03T12:58:00"):
        encode(event, id="7", source="users", time=NOW.replace(tzinfo=None))
