"""What the synthesizer makes of events that it cannot read or that break it."""

from __future__ import annotations

import json

import pytest

from ekiben_bus.memory import StoredRecord
from ekiben_bus.verdicts import Failure, Stage
from ekiben_contracts.cloudevents import decode
from ekiben_contracts.errors import ContractError
from ekiben_contracts.prediction import FailureCode
from ekiben_contracts.topics import MODEL_OUTPUTS
from ekiben_synthesizer.failures import on_failure
from unit.synthesizer.building import NOW, only, received, scored, value

LETTER = "ekiben.model-outputs/synthesizer/1/40/1"


def judge(failure):
    return on_failure(failure, clock=lambda: NOW)


def unreadable(data, *headers):
    """The verdict about a record that the bus could not decode."""
    record = StoredRecord(MODEL_OUTPUTS.name, 1, 40, 0, b"UA1", data, headers)
    with pytest.raises(ContractError) as raised:
        decode(record.value, record.headers, MODEL_OUTPUTS)
    return judge(Failure(record, Stage.DECODE, raised.value, LETTER))


def test_a_bug_is_a_dead_letter_with_its_stack_and_an_answer():
    request = received(scored(value()), attempt=2)
    with pytest.raises(ZeroDivisionError) as bug:
        _ = 1 / 0
    verdict = judge(Failure(request.record, Stage.HANDLE, bug.value, request.dead_letter_id, request))
    assert (verdict.reason, verdict.error_class) == ("bug", "ZeroDivisionError")
    assert "test_failures.py" in verdict.stack
    outgoing = only(verdict)
    assert outgoing.id == "flight-7/result/2"
    answer = outgoing.event
    assert (answer.code, answer.model, answer.entity_id) == (FailureCode.INTERNAL, "minutes", "UA1")
    assert answer.dead_letter == request.dead_letter_id


def test_a_result_too_large_is_answered_from_the_bytes_of_its_record():
    request = received(scored(value(), attempt=2))
    verdict = judge(Failure(request.record, Stage.PUBLISH, ValueError("too large"), LETTER))
    assert verdict.stage is Stage.PUBLISH
    assert only(verdict).id == "flight-7/result/2"


def test_unreadable_bytes_are_answered_by_the_request_in_their_id():
    verdict = unreadable(b"no json", ("ce_id", b"a/scored/9/scored/2"))
    assert verdict.reason == "undecodable"
    assert only(verdict).id == "a/scored/9/result/2"


def test_a_wrong_field_is_answered_by_what_the_data_says():
    verdict = unreadable(json.dumps({"request_id": "flight-9"}).encode())
    assert verdict.reason == "invalid"
    assert only(verdict).id == "flight-9/result/1"


@pytest.mark.parametrize("headers", [[], [("ce_id", b"somebody/else/1")], [("ce_id", b"r/scored/x")]])
def test_what_nobody_can_identify_is_a_dead_letter_alone(headers):
    assert unreadable(b"no json", *headers).outgoing == ()


@pytest.mark.parametrize("request_id", [7, "", "x" * 257])
def test_an_id_that_is_none_identifies_nobody(request_id):
    assert unreadable(json.dumps({"request_id": request_id}).encode()).outgoing == ()
