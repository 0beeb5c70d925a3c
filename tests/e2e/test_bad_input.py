"""Whatever somebody publishes is answered, or kept byte for byte; and nothing waits behind it."""

from __future__ import annotations

import json
import math

import pytest
from confluent_kafka import KafkaError, KafkaException

pytestmark = pytest.mark.every_rung
GOOD = {"model": "tiny-keen", "entity_id": "e", "features": {"x": 1.0, "y": 0.0}}
RECORD_LIMIT = 1024 * 1024
UNREADABLE = {
    "no JSON": (b"\x00\xffno JSON", [], b"undecodable"),
    "half a JSON": (b'{"model": "tiny-keen"', [], b"undecodable"),
    "no object": (b"[1, 2, 3]", [], b"undecodable"),
    "an unknown type": (b"{}", [("ce_type", b"ekiben.lunch.ordered.v1")], b"unknown-type"),
    "an unknown version": (b"{}", [("ce_type", b"ekiben.prediction.requested.v99")], b"unknown-version"),
    "an empty value": (b"", [], b"empty"),
    "no value": (None, [], b"empty"),
    "a type that is not UTF-8": (json.dumps(GOOD).encode(), [("ce_type", b"\xff\xfe")], b"undecodable"),
}
INVALID = {
    "a wrong type": {"features": "many"},
    "a missing field": {"entity_id": None},
    "not a number": {"features": {"x": math.nan, "y": 0.0}},
    "infinity": {"features": {"x": math.inf, "y": 0.0}},
    "a list for a feature": {"features": {"x": [1.0], "y": 0.0}},
}


def header(message, name):
    return dict(message.headers())[name]


@pytest.fixture(autouse=True)
def nothing_waits_behind_it(plain, fresh):
    """After each bad record a good one with the same key, so on the same partition, is answered."""
    yield
    plain.send({**GOOD, "request_id": f"{fresh}-after"})
    assert plain.result(f"{fresh}-after")["status"] == "completed"


@pytest.mark.parametrize(("value", "headers", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_a_dead_letter_byte_for_byte(plain, value, headers, reason):
    place = plain.send(value, headers=headers)
    letter = plain.dead_letter(*place)
    assert letter.value() == value
    assert letter.key() == b"k"
    assert letter.headers()[: len(headers)] == headers
    assert header(letter, "dlq-reason") == reason
    assert header(letter, "dlq-stage") == b"decode"
    assert b"expected" in header(letter, "dlq-error-message")


def test_what_cannot_be_read_but_has_an_id_is_answered_too(plain, fresh):
    place = plain.send(b"no JSON", headers=[("ce_id", fresh.encode())])
    result = plain.result(fresh)
    assert (result["status"], result["code"]) == ("failed", "invalid_request")
    assert header(plain.dead_letter(*place), "dlq-id").decode() == result["dead_letter"]


@pytest.mark.parametrize("wrong", INVALID.values(), ids=INVALID)
def test_a_request_with_a_wrong_field_is_told_which(plain, fresh, wrong):
    plain.send({**GOOD, "request_id": fresh, **wrong})
    result = plain.result(fresh)
    assert (result["status"], result["code"], result["retryable"]) == ("failed", "invalid_request", False)
    assert next(iter(wrong)) in result["message"]
    assert result["dead_letter"] is None


def test_a_feature_that_is_missing_is_named(plain, fresh):
    plain.send({**GOOD, "request_id": fresh, "features": {"y": 0.0}})
    result = plain.result(fresh)
    assert (result["code"], "x" in result["message"]) == ("missing_features", True)


def test_a_model_that_nobody_routed_is_told(plain, fresh):
    place = plain.send({**GOOD, "request_id": fresh, "model": "no-such-model"})
    result = plain.result(fresh)
    assert (result["code"], result["retryable"]) == ("unknown_model", True)
    assert header(plain.dead_letter(*place), "dlq-id").decode() == result["dead_letter"]


def test_a_request_past_its_deadline_is_not_computed(plain, fresh):
    plain.send({**GOOD, "request_id": fresh, "deadline": "2013-01-01T00:00:00Z"})
    assert plain.result(fresh)["code"] == "deadline_exceeded"


def test_a_header_that_is_not_utf_8_and_not_ours_costs_nothing(plain, fresh):
    plain.send({**GOOD, "request_id": fresh}, headers=[("trace", b"\xff\xfe\x00")])
    assert plain.result(fresh)["status"] == "completed"


def test_the_dead_letter_of_a_record_at_the_size_limit_fits(plain):
    value = b"x" * (RECORD_LIMIT - 200)  # the broker counts the key and the frame of the record too
    letter = plain.dead_letter(*plain.send(value))
    assert letter.value() == value


def test_a_good_request_at_the_size_limit_is_answered(plain, fresh):
    request = {**GOOD, "request_id": fresh, "padding": ""}
    request["padding"] = "x" * (RECORD_LIMIT - 200 - len(json.dumps(request)))
    plain.send(request)
    assert plain.result(fresh)["status"] == "completed"


def test_two_megabytes_are_refused_by_the_broker(plain):
    with pytest.raises(KafkaException) as refused:
        plain.send(b"x" * 2 * 1024 * 1024)
    assert refused.value.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE


def test_a_request_id_used_twice_has_one_result_for_whoever_drops_equal_ids(system, plain, fresh):
    plain.send({**GOOD, "request_id": fresh})
    plain.send({**GOOD, "request_id": fresh, "features": {"x": -1.0, "y": 0.0}})
    plain.send({**GOOD, "request_id": f"{fresh}-last"})
    results = plain.results([fresh, f"{fresh}-last"])  # one key: the last is answered after both
    assert {header(message, "ce_id") for message in results[fresh]} == {f"{fresh}/result/1".encode()}
    read = system.json_lines("results", "--from-beginning", "--no-follow")
    (result,) = [result for result in read if result["request_id"] == fresh]
    assert result["label"] == "yes"
