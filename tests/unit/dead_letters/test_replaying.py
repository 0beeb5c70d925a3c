"""What a replay sends, decided for one dead letter at a time."""

from __future__ import annotations

import json

import pytest

from ekiben.dead_letters.patching import Patch
from ekiben.dead_letters.replaying import LeftOut, Treatment, Why, decide
from ekiben_bus.lanes import MovedRecord, restore
from ekiben_bus.memory import StoredRecord
from ekiben_contracts.cloudevents import STRUCTURED
from ekiben_contracts.topics import HEADROOM, PREDICTION_REQUESTS
from unit.dead_letters.building import PAYLOAD, grave, letter, letter_id, payload

MEND = Patch([{"op": "replace", "path": "/features/carrier", "value": "UA"}])


def read(sent):
    """As the lane `replay` of the group reads it."""
    stored = StoredRecord(sent.topic, sent.partition, 0, 7, sent.key, sent.value, sent.headers)
    return restore(stored)


def test_what_died_comes_back_as_its_next_attempt_at_the_place_where_it_was_read():
    dead = letter(attempt=2)
    sent = decide(dead, grave(), Treatment())
    assert (sent.topic, sent.partition) == ("ekiben.prediction-requests.inference-gateway.replay", 3)
    back = read(sent)
    assert isinstance(back, MovedRecord)
    assert (back.topic, back.partition, back.offset, back.timestamp, back.attempt) == (
        PREDICTION_REQUESTS.name,
        3,
        41,
        1362139200000,
        3,
    )
    assert (back.key, back.value, list(back.headers)) == (dead.key, dead.value, [("original", b"\xff")])


@pytest.mark.parametrize("value", [b"\xff\x00 no JSON", b"", payload(deadline=None), b'{"deadline": 7}'])
def test_bytes_that_have_no_deadline_stay_as_they_are(value):
    assert decide(letter(value), grave(), Treatment()).value == value


def test_an_empty_record_stays_empty():
    dead = letter()
    nothing = type(dead)(**{name: getattr(dead, name) for name in dead.__slots__} | {"value": None})
    assert decide(nothing, grave(), Treatment()).value is None


def test_a_deadline_is_dropped_and_nothing_else():
    dead = letter(payload(deadline="2013-03-01T12:00:00Z"))
    sent = decide(dead, grave(), Treatment())
    assert json.loads(sent.value) == {**PAYLOAD, "deadline": None}


def test_a_deadline_is_kept_where_that_is_asked_for():
    value = payload(deadline="2013-03-01T12:00:00Z")
    assert decide(letter(value), grave(), Treatment(keep_deadline=True)).value == value


def structured(data):
    envelope = {"specversion": "1.0", "id": "c1", "type": "ekiben.prediction.requested.v1", "source": "/x"}
    return letter(
        json.dumps({**envelope, "data": data}).encode(),
        original=[("content-type", STRUCTURED.encode() + b"; charset=utf-8")],
    )


def test_in_structured_mode_payload_and_deadline_are_in_the_data():
    dead = structured({**PAYLOAD, "deadline": "2013-03-01T12:00:00Z"})
    sent = json.loads(decide(dead, grave(), Treatment(patch=MEND)).value)
    assert sent["data"] == {**PAYLOAD, "deadline": None, "features": {"carrier": "UA", "hour": 5}}
    assert (sent["id"], sent["type"]) == ("c1", "ekiben.prediction.requested.v1")


def test_a_patch_is_applied_on_the_way():
    sent = decide(letter(), grave(), Treatment(patch=MEND))
    assert json.loads(sent.value) == {**PAYLOAD, "features": {"carrier": "UA", "hour": 5}}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (payload(features={"hour": 5}), "does not apply"),
        (b"\xff no JSON", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "does not apply"),
        (b'{"features": {"carrier": "ua"}, "entity_id": "", "model": "delay"}', "entity_id"),
        (b'{"features": {"carrier": "ua", "x": NaN}}', "no JSON"),
    ],
)
def test_what_a_patch_cannot_mend_is_left_out_and_told(value, found):
    left_out = decide(letter(value), grave(), Treatment(patch=MEND))
    assert isinstance(left_out, LeftOut)
    assert (left_out.id, left_out.why) == (letter_id(), Why.REFUSED)
    assert found in left_out.detail


def test_what_outgrows_its_topic_is_left_out():
    large = "x" * (PREDICTION_REQUESTS.max_message_bytes + HEADROOM)
    left_out = decide(
        letter(),
        grave(),
        Treatment(patch=Patch([{"op": "add", "path": "/features/note", "value": large}])),
    )
    assert left_out.why is Why.REFUSED
    assert "bytes" in left_out.detail


@pytest.mark.parametrize(
    ("attempt", "most", "goes"), [(2, 3, True), (3, 3, False), (9, 3, False), (9, None, True)]
)
def test_what_keeps_coming_back_is_left_out(attempt, most, goes):
    decided = decide(letter(attempt=attempt), grave(), Treatment(most_attempts=most))
    assert isinstance(decided, LeftOut) is not goes
    if not goes:
        assert decided.why is Why.RETURNING
        assert f"came back {attempt - 1} times" in decided.detail


def test_what_does_not_say_where_it_came_from_is_left_out():
    assert decide(letter(topic=""), grave(), Treatment()).why is Why.REFUSED


def test_a_header_without_a_value_goes_back_as_it_came():
    sent = decide(letter(original=[("gone", None)]), grave(), Treatment())
    assert list(read(sent).headers) == [("gone", None)]
