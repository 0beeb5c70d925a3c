"""Records that nobody can tell what they are: each with its reason, and nothing else is one."""

import json

import pytest

from ekiben_contracts.cloudevents import STRUCTURED, Headers, decode
from ekiben_contracts.errors import InvalidEventError, Reason, UnreadableError
from ekiben_contracts.prediction import PredictionCompleted, PredictionRequested
from ekiben_contracts.topics import MODEL_OUTPUTS, PREDICTION_REQUESTS, PREDICTION_RESULTS, Topic

REQUEST = b'{"model": "flight-delay", "entity_id": "UA-1545"}'
REQUESTED = ("ce_type", b"ekiben.prediction.requested.v1")
ONE_EVENT = ("content-type", STRUCTURED.encode())


def refusal(
    value: bytes | None, headers: Headers = (), topic: Topic = PREDICTION_REQUESTS
) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        decode(value, headers, topic)
    return caught.value


def structured(**attributes: object) -> bytes:
    whole = {"specversion": "1.0", "id": "7", "type": "ekiben.prediction.requested.v1", "source": "users"}
    return json.dumps(whole | {"data": json.loads(REQUEST)} | attributes).encode()


@pytest.mark.parametrize(
    ("value", "reason", "found"),
    [
        (None, Reason.EMPTY, "found an empty value"),
        (b"", Reason.EMPTY, "found an empty value"),
        (b"hello", Reason.UNDECODABLE, "found 5 bytes that begin with b'he'"),
        (b"\xff\xfe", Reason.UNDECODABLE, r"found 2 bytes that begin with b'\xff\xfe'"),
        (REQUEST[:-1], Reason.UNDECODABLE, "EOF while parsing"),
        (b'{"model": "\xff", "entity_id": "e"}', Reason.UNDECODABLE, "invalid unicode"),
        (b"NaN", Reason.UNDECODABLE, "found nan"),
        (b"null", Reason.UNDECODABLE, "found null"),
        (b"true", Reason.UNDECODABLE, "found true"),
        (b"42", Reason.UNDECODABLE, "found a number"),
        (b'"text"', Reason.UNDECODABLE, "found a text of 4 characters"),
        (b"[1]", Reason.UNDECODABLE, "found an array of 1 item"),
    ],
)
def test_a_value_that_is_no_json_object_is_unreadable(value: bytes | None, reason: Reason, found: str):
    error = refusal(value, [("ce_id", b"7")])

    assert error.reason is reason
    assert found in str(error)
    assert error.ce_id == "7"


def test_an_unknown_type_is_unreadable_and_told():
    error = refusal(REQUEST, [("ce_type", b"orders.placed.v1")])

    assert error.reason is Reason.UNKNOWN_TYPE
    assert str(error) == (
        "expected ekiben.prediction.requested.v1 on ekiben.prediction-requests, found 'orders.placed.v1'"
    )


@pytest.mark.parametrize("version", ["v9", "v0", "vnext"])
def test_an_unknown_version_of_a_known_type_is_told_apart(version: str):
    error = refusal(REQUEST, [("ce_type", f"ekiben.prediction.requested.{version}".encode())])

    assert error.reason is Reason.UNKNOWN_VERSION


def test_a_type_of_another_topic_is_unreadable():
    error = refusal(REQUEST, [REQUESTED], MODEL_OUTPUTS)

    assert error.reason is Reason.UNKNOWN_TYPE
    assert "expected ekiben.models.scored.v1 on ekiben.model-outputs" in str(error)


def test_bare_json_on_a_topic_of_several_types_is_unreadable():
    error = refusal(b"{}", [("ce_id", b"7")], PREDICTION_RESULTS)

    assert error.reason is Reason.UNKNOWN_TYPE
    assert "expected a ce_type header" in str(error)
    assert error.ce_id == "7"


@pytest.mark.parametrize("name", ["ce_type", "ce_id", "ce_source", "ce_specversion"])
def test_a_ce_header_that_is_not_utf8_is_unreadable(name: str):
    error = refusal(REQUEST, [(name, b"\xff")])

    assert error.reason is Reason.UNDECODABLE
    assert f"expected UTF-8 in the header {name}" in str(error)


@pytest.mark.parametrize("name", ["other", "ce_time", "ce_extension", "content-type", "traceparent"])
def test_any_other_header_that_is_not_utf8_does_not_matter(name: str):
    event = decode(REQUEST, [(name, b"\xff")], PREDICTION_REQUESTS)

    assert event.data == PredictionRequested(model="flight-delay", entity_id="UA-1545")
    assert event.traceparent is None


@pytest.mark.parametrize("name", ["ce_type", "ce_id", "ce_source", "ce_specversion", "content-type", "other"])
def test_a_header_without_a_value_counts_as_missing(name: str):
    assert decode(REQUEST, [(name, None)], PREDICTION_REQUESTS).id is None


def test_an_id_is_kept_when_a_later_header_is_broken():
    assert refusal(REQUEST, [("ce_source", b"\xff"), ("ce_id", b"7")]).ce_id == "7"


def test_another_cloudevents_version_is_unreadable():
    error = refusal(REQUEST, [("ce_specversion", b"0.3")])

    assert error.reason is Reason.UNKNOWN_VERSION
    assert str(error) == "expected CloudEvents 1.0, found '0.3'"


@pytest.mark.parametrize("length", [0, 257])
def test_an_id_of_a_user_has_1_to_256_characters(length: int):
    error = refusal(REQUEST, [("ce_id", b"x" * length)])

    assert f"expected an id of 1 to 256 characters on ekiben.prediction-requests, found {length}" in str(
        error
    )


def test_the_id_of_an_output_has_room_for_what_a_service_appends():
    value = PredictionCompleted(
        request_id="x" * 256,
        model="m",
        entity_id="e",
        time_horizon="short_term",
        prediction=0.5,
        confidence=1,
        method="single",
        outputs=[],
        latency_ms=1,
        completed_at="2013-09-03T12:58:00Z",
    ).to_json()
    result_id = "x" * 256 + "/result/1"
    headers = [("ce_type", b"ekiben.prediction.completed.v1"), ("ce_id", result_id.encode())]

    assert decode(value, headers, PREDICTION_RESULTS).id == result_id


@pytest.mark.parametrize(
    "content_type",
    [
        STRUCTURED,
        f"{STRUCTURED}; charset=UTF-8",
        "Application/CloudEvents+JSON",
        f"{STRUCTURED} ;charset=utf-8",
    ],
)
def test_structured_mode_is_known_by_its_media_type(content_type: str):
    event = decode(structured(), [("content-type", content_type.encode())], PREDICTION_REQUESTS)

    assert (event.data.type, event.id, event.source) == ("ekiben.prediction.requested.v1", "7", "users")


@pytest.mark.parametrize("content_type", ["application/cloudevents+jsonx", "application/json; charset=utf-8"])
def test_any_other_media_type_is_binary_mode(content_type: str):
    event = decode(REQUEST, [("content-type", content_type.encode()), ("ce_id", b"8")], PREDICTION_REQUESTS)

    assert event.id == "8"


@pytest.mark.parametrize(
    ("value", "reason", "message"),
    [
        (None, Reason.EMPTY, "found an empty value"),
        (b"hello", Reason.UNDECODABLE, "found 5 bytes that begin with b'he'"),
        (b"[1, 2]", Reason.UNDECODABLE, "found an array of 2 items"),
        (structured(type=None), Reason.UNKNOWN_TYPE, "expected the attribute type, found none"),
        (structured(type=7), Reason.UNDECODABLE, "expected text in the attribute type, found a number"),
        (
            structured(id=["7"]),
            Reason.UNDECODABLE,
            "expected text in the attribute id, found an array of 1 item",
        ),
        (structured(source=True), Reason.UNDECODABLE, "expected text in the attribute source, found true"),
        (structured(specversion="0.3"), Reason.UNKNOWN_VERSION, "expected CloudEvents 1.0, found '0.3'"),
        (structured(type="orders.placed.v1"), Reason.UNKNOWN_TYPE, "found 'orders.placed.v1'"),
        (
            structured(data_base64="e30="),
            Reason.UNDECODABLE,
            "expected JSON in the attribute data, found data_base64",
        ),
        (structured(data=None), Reason.UNDECODABLE, "found null"),
        (structured(data="{}"), Reason.UNDECODABLE, "found a text of 2 characters"),
        (structured(data=[]), Reason.UNDECODABLE, "found an array of 0 items"),
        (b'{"type": "ekiben.prediction.requested.v1"}', Reason.EMPTY, "found an empty value"),
    ],
)
def test_a_broken_structured_event_is_unreadable(value: bytes | None, reason: Reason, message: str):
    error = refusal(value, [ONE_EVENT])

    assert error.reason is reason
    assert message in str(error)


def test_a_structured_event_ignores_what_headers_say():
    event = decode(structured(), [ONE_EVENT, ("ce_id", b"9"), ("ce_type", b"x")], PREDICTION_REQUESTS)

    assert event.id == "7"


def test_a_trace_that_is_no_text_does_not_cost_a_structured_event():
    assert decode(structured(traceparent=7), [ONE_EVENT], PREDICTION_REQUESTS).traceparent is None


def test_a_structured_event_with_a_wrong_field_can_be_answered():
    with pytest.raises(InvalidEventError) as caught:
        decode(structured(data={"model": "m"}), [ONE_EVENT], PREDICTION_REQUESTS)

    assert caught.value.ce_id == "7"
    assert caught.value.data == {"model": "m"}


TOO_MUCH = {"digits": b"9" * 5_000, "more digits": b"9" * 500_000, "levels": b"[" * 500 + b"]" * 500}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_a_request_that_says_too_much_is_still_known_by_its_id(name: str):
    value = b'{"model": "m", "entity_id": "e", "request_id": "r-1", "features": {"x": %s}}' % TOO_MUCH[name]
    with pytest.raises(
        InvalidEventError, match="expected numbers of a few digits, and a few levels"
    ) as caught:
        decode(value, [], PREDICTION_REQUESTS)
    assert caught.value.data["request_id"] == "r-1"


@pytest.mark.parametrize(
    "value",
    [
        b'{"request_id": "\\ud800", "x": %s}' % (b"9" * 5_000),
        b'{"x": %s, "y": NaN}' % (b"9" * 5_000),
        b"%s" % (b"9" * 5_000),
        b'{"x": %s' % (b"9" * 5_000),
        b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        '{"x": 1}'.encode("utf-16"),
    ],
    ids=["half a pair", "NaN", "no object", "cut off", "far too deep", "UTF-16"],
)
def test_what_says_too_much_and_is_no_request_either_is_unreadable(value: bytes):
    with pytest.raises(UnreadableError):
        decode(value, [], PREDICTION_REQUESTS)
