"""What the gateway makes of records that cannot be read or break it."""

from __future__ import annotations

import json

import pytest
from prometheus_client import CollectorRegistry

from ekiben_bus.memory import StoredRecord
from ekiben_bus.verdicts import DeadLetter, Emit, Failure, Stage
from ekiben_contracts.cloudevents import decode
from ekiben_contracts.errors import ContractError
from ekiben_contracts.prediction import FailureCode
from ekiben_contracts.topics import PREDICTION_REQUESTS
from ekiben_inference_gateway.failures import on_failure
from ekiben_inference_gateway.metrics import GatewayMetrics
from unit.gateway.building import NOW, only, received

LETTER = "ekiben.prediction-requests/inference-gateway/2/40/1"


def judge(failure):
    return on_failure(failure, clock=lambda: NOW, metrics=GatewayMetrics(CollectorRegistry()))


def unreadable(value, *headers):
    """The verdict about a record that the bus could not decode."""
    record = StoredRecord(PREDICTION_REQUESTS.name, 2, 40, 0, b"UA1", value, headers)
    with pytest.raises(ContractError) as raised:
        decode(record.value, record.headers, PREDICTION_REQUESTS)
    return judge(Failure(record, Stage.DECODE, raised.value, LETTER))


def as_json(**fields):
    return json.dumps({"model": "delay", "entity_id": "UA1", "features": {}, **fields}).encode()


def test_an_invalid_request_is_a_plain_answer_that_names_the_field():
    verdict = unreadable(as_json(request_id="r1", features={"x": [1]}))
    assert isinstance(verdict, Emit)
    outgoing = only(verdict)
    assert outgoing.id == "r1/result/1"
    answer = outgoing.event
    assert (answer.code, answer.dead_letter, answer.retryable) == (FailureCode.INVALID_REQUEST, None, False)
    assert (answer.model, answer.entity_id) == ("delay", "UA1")
    assert "features.x" in answer.message
    assert "new request_id" in answer.message


@pytest.mark.parametrize(
    "value",
    [
        b'{"model": "delay", "entity_id": "UA1", "features": {"x": NaN}}',
        b'{"model": "delay", "entity_id": "UA1", "features": {"x": 1e400}}',
    ],
)
def test_nan_and_infinity_are_invalid_features(value):
    verdict = unreadable(value)
    assert isinstance(verdict, Emit)
    answer = only(verdict).event
    assert answer.code is FailureCode.INVALID_REQUEST
    assert "features.x" in answer.message


def test_an_invalid_request_without_an_id_has_its_envelope_s():
    assert only(unreadable(as_json(model=None), ("ce_id", b"ce-1"))).event.request_id == "ce-1"


@pytest.mark.parametrize("request_id", [None, 7, "", "x" * 257])
def test_an_invalid_request_whose_id_is_no_id_has_the_place_of_its_record(request_id):
    answer = only(unreadable(as_json(request_id=request_id, model=None))).event
    assert answer.request_id == "ekiben.prediction-requests-2-40"


def test_the_answer_stays_small_whatever_was_sent():
    answer = only(unreadable(as_json(model="m" * 900_000, entity_id="e" * 900_000))).event
    assert len(answer.to_json()) < 2000


@pytest.mark.parametrize("model", [None, 5, {"a": 1}])
def test_an_invalid_request_that_names_no_model_is_answered_all_the_same(model):
    assert only(unreadable(as_json(request_id="r1", model=model))).event.model is None


@pytest.mark.parametrize("value", [b"no json", b"", b"[1]", b"\xff\xfe"])
def test_what_nobody_can_identify_is_a_dead_letter_alone(value):
    verdict = unreadable(value)
    assert isinstance(verdict, DeadLetter)
    assert verdict.outgoing == ()
    assert verdict.stage is Stage.DECODE
    assert verdict.reason in ("undecodable", "empty")


@pytest.mark.parametrize("value", [b"no json", b""])
def test_unreadable_bytes_with_a_ce_id_are_answered_and_the_answer_names_the_dead_letter(value):
    verdict = unreadable(value, ("ce_id", b"ce-1"))
    assert isinstance(verdict, DeadLetter)
    answer = only(verdict).event
    assert (answer.request_id, answer.code) == ("ce-1", FailureCode.INVALID_REQUEST)
    assert answer.dead_letter == LETTER


def test_an_unknown_type_is_kept_with_its_reason():
    verdict = unreadable(b"{}", ("ce_type", b"somebody.else.v1"), ("ce_id", b"ce-1"))
    assert verdict.reason == "unknown-type"


def test_a_bug_is_a_dead_letter_with_its_stack_and_an_answer():
    request = received(3, attempt=2)
    with pytest.raises(ZeroDivisionError) as bug:
        _ = 1 / 0
    verdict = judge(Failure(request.record, Stage.HANDLE, bug.value, request.dead_letter_id, request))
    assert isinstance(verdict, DeadLetter)
    assert (verdict.reason, verdict.error_class) == ("bug", "ZeroDivisionError")
    assert "test_failures.py" in verdict.stack
    outgoing = only(verdict)
    assert outgoing.id == "flight-3/result/2"
    answer = outgoing.event
    assert (answer.code, answer.dead_letter) == (FailureCode.INTERNAL, request.dead_letter_id)
    assert (answer.model, answer.entity_id) == ("delay", "UA1")
    assert "by zero" not in answer.message  # what went wrong inside is for the dead letter, not for users


def test_an_output_too_large_is_answered_from_the_bytes_of_its_record():
    request = received(3)
    verdict = judge(Failure(request.record, Stage.PUBLISH, ValueError("too large"), request.dead_letter_id))
    assert isinstance(verdict, DeadLetter)
    assert verdict.stage is Stage.PUBLISH
    assert only(verdict).id == "flight-3/result/1"
