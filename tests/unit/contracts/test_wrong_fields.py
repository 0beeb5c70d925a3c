"""Events of a known type with wrong fields: the sender reads which, what was expected and what was found."""

import json

import pytest

from ekiben_contracts.cloudevents import decode
from ekiben_contracts.errors import InvalidEventError
from ekiben_contracts.event import Event
from ekiben_contracts.topics import DEPLOYMENT_REQUESTS, PREDICTION_OUTCOMES, PREDICTION_REQUESTS, Topic

GOOD = {"model": "flight-delay", "entity_id": "UA-1545", "features": {"dep_delay": 2.0}}
ENSEMBLE = {"deployment_id": "d", "model": "m", "members": ["a"], "requested_by": "ana"}
OUTCOME = {"request_id": "r", "model": "m", "entity_id": "e", "observed_at": "2013-09-03T18:19:00Z"}
A_TIME = "an ISO 8601 time with its offset, such as 2013-07-01T08:15:00Z"
A_FEATURE = "a finite number, text, true/false or null"


def refusal(value: bytes, event_type: str, topic: Topic) -> InvalidEventError:
    with pytest.raises(InvalidEventError) as caught:
        decode(value, [("ce_type", event_type.encode()), ("ce_id", b"7")], topic)
    assert caught.value.ce_id == "7"
    return caught.value


def told(**fields: object) -> str:
    """What the sender of a request is told, without the type that it starts with."""
    value = json.dumps(GOOD | fields).encode()
    error = refusal(value, "ekiben.prediction.requested.v1", PREDICTION_REQUESTS)
    return str(error).removeprefix("ekiben.prediction.requested.v1: ")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"features": {"dep_delay": float("nan")}}, f"features.dep_delay: expected {A_FEATURE}, found nan"),
        ({"features": {"dep_delay": float("-inf")}}, f"features.dep_delay: expected {A_FEATURE}, found -inf"),
        (
            {"features": {"dep_delay": [2.0]}},
            f"features.dep_delay: expected {A_FEATURE}, found an array of 1 item",
        ),
        ({"features": {"a": {"b": 1}}}, f"features.a: expected {A_FEATURE}, found an object of 1 field"),
        ({"features": [1]}, "features: expected an object, found an array of 1 item"),
        ({"features": {"a\nb": {}}}, f"features.'a\\nb': expected {A_FEATURE}, found an object of 0 fields"),
        ({"model": 7}, "model: expected text, found 7"),
        ({"model": None}, "model: expected text, found null"),
        ({"model": "a b"}, "model: expected text that matches ^[A-Za-z0-9][A-Za-z0-9._-]*$, found 'a b'"),
        (
            {"model": "x" * 129},
            "model: expected text of at most 128 characters, found a text of 129 characters",
        ),
        ({"entity_id": ""}, "entity_id: expected text of at least 1 characters, found ''"),
        (
            {"request_id": "x" * 257},
            "request_id: expected text of at most 256 characters, found a text of 257 characters",
        ),
        ({"explain": "yes"}, "explain: expected true or false, found 'yes'"),
        ({"explain": 1}, "explain: expected true or false, found 1"),
        ({"attempt": "1"}, "attempt: expected a whole number, found '1'"),
        ({"attempt": 0}, "attempt: expected at least 1, found 0"),
        ({"attempt": 2**31}, "attempt: expected at most 2147483647, found 2147483648"),
        ({"deadline": "tomorrow"}, f"deadline: expected {A_TIME}, found 'tomorrow'"),
        ({"deadline": "2013-09-03"}, f"deadline: expected {A_TIME}, found '2013-09-03'"),
        ({"deadline": "2013-09-03T12:58:00"}, f"deadline: expected {A_TIME}, found '2013-09-03T12:58:00'"),
        ({"deadline": 1378213080}, f"deadline: expected {A_TIME}, found 1378213080"),
    ],
)
def test_a_wrong_field_is_named_with_what_was_expected_and_found(fields: dict[str, object], message: str):
    assert told(**fields) == message


def test_a_missing_field_is_named():
    error = refusal(b'{"model": "m"}', "ekiben.prediction.requested.v1", PREDICTION_REQUESTS)

    assert str(error) == "ekiben.prediction.requested.v1: entity_id: expected a value, found nothing"


def test_the_object_comes_with_the_error_as_it_was_sent():
    error = refusal(b'{"model": 7, "mine": [1]}', "ekiben.prediction.requested.v1", PREDICTION_REQUESTS)

    assert error.data == {"model": 7, "mine": [1]}


def test_of_many_wrong_fields_five_are_named_and_the_rest_counted():
    message = told(features={f"f{number}": [] for number in range(8)})

    assert message.count("expected") == 5
    assert message.endswith("; and 3 more")


def test_a_message_stays_short_whatever_was_sent():
    assert len(told(features={"k" * 100_000: "x"}, model="y" * 100_000, entity_id=["z"] * 100_000)) < 600
    assert len(told(features={"k" * 100_000: []})) < 300


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 400])
def test_a_number_too_large_for_a_float_is_infinite_and_refused(number: str):
    value = f'{{"model": "m", "entity_id": "e", "features": {{"x": {number}}}}}'.encode()

    error = refusal(value, "ekiben.prediction.requested.v1", PREDICTION_REQUESTS)

    assert f"features.x: expected {A_FEATURE}" in str(error)


def features(text: str) -> dict[str, object]:
    value = f'{{"model": "m", "entity_id": "e", "features": {text}}}'.encode()
    event: Event = decode(value, [], PREDICTION_REQUESTS).data
    return event.model_dump()["features"]


def test_each_feature_keeps_the_type_it_has_in_json():
    read = features('{"a": 1, "b": 1.0, "c": true, "d": "1", "e": null, "f": -0.0, "g": 9007199254740993}')

    assert json.dumps(read) == (
        '{"a": 1, "b": 1.0, "c": true, "d": "1", "e": null, "f": -0.0, "g": 9007199254740993}'
    )


def test_a_whole_number_beyond_64_bits_is_a_float_as_javascript_meant_it():
    assert features('{"x": 100000000000000000000, "y": 9223372036854775807}') == {"x": 1e20, "y": 2**63 - 1}


@pytest.mark.parametrize("policy", ['"none"', '{"quorum": 0}', '{"quorum": "2"}', "{}", "2"])
def test_a_policy_is_told_once_with_all_that_it_may_be(policy: str):
    value = json.dumps(ENSEMBLE)[:-1] + f', "missing_policy": {policy}}}'

    error = refusal(value.encode(), "ekiben.ensemble.requested.v1", DEPLOYMENT_REQUESTS)

    assert str(error).count("missing_policy") == 1
    assert 'missing_policy: expected "all", "any" or {"quorum": n}, found' in str(error)


@pytest.mark.parametrize(
    ("outcome", "found"), [(True, "true or false"), (None, "null"), (float("nan"), "nan")]
)
def test_an_outcome_is_a_number_or_a_label(outcome: object, found: str):
    value = json.dumps(OUTCOME | {"outcome": outcome}).encode()

    error = refusal(value, "ekiben.prediction.outcome-observed.v1", PREDICTION_OUTCOMES)

    assert str(error).endswith(f": outcome: expected a finite number or a label, found {found}")


def test_a_key_that_is_no_model_name_is_told_by_name():
    value = json.dumps(ENSEMBLE | {"weights": {"a b": 0.5}}).encode()

    error = refusal(value, "ekiben.ensemble.requested.v1", DEPLOYMENT_REQUESTS)

    assert "weights.'a b' as a name: expected text that matches" in str(error)
    assert "found 'a b'" in str(error)
