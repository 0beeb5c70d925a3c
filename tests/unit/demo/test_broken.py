from __future__ import annotations

import math

import pytest

from ekiben.demo.broken import CASE_HEADER, BrokenRecord, broken_records
from ekiben_contracts.cloudevents import decode
from ekiben_contracts.errors import InvalidEventError, UnreadableError
from ekiben_contracts.identity import request_identity
from ekiben_contracts.prediction import FailureCode, PredictionRequested
from ekiben_contracts.topics import PREDICTION_REQUESTS

PATTERN = PredictionRequested(
    request_id="2013-09-01-UA-1545-EWR",
    model="flight-delay",
    entity_id="UA-1545",
    features={"carrier": "UA", "distance": 1400, "temperature": None},
)
RECORDS = broken_records(PATTERN, "run")
UNREADABLE = [record for record in RECORDS if record.expected is None]
ANSWERED = [record for record in RECORDS if record.expected is not None]


def _case(name: str) -> BrokenRecord:
    return next(record for record in RECORDS if record.key == f"broken-{name}@run")


def test_there_are_both_kinds_each_under_a_key_of_its_own() -> None:
    assert len(UNREADABLE) >= 5
    assert len(ANSWERED) >= 5
    assert len({record.key for record in RECORDS}) == len(RECORDS)


@pytest.mark.parametrize("record", UNREADABLE, ids=lambda record: record.key)
def test_nobody_can_tell_whose_an_unreadable_record_is(record: BrokenRecord) -> None:
    with pytest.raises(UnreadableError) as raised:
        decode(record.value, record.headers, PREDICTION_REQUESTS)

    assert raised.value.ce_id is None


@pytest.mark.parametrize("record", ANSWERED, ids=lambda record: record.key)
def test_the_others_say_which_request_they_are(record: BrokenRecord) -> None:
    try:
        event = decode(record.value, record.headers, PREDICTION_REQUESTS).data
        assert isinstance(event, PredictionRequested)
        request_id = event.request_id
    except InvalidEventError as error:
        request_id = error.data["request_id"]

    assert request_identity(request_id, None, "topic", 0, 0) == record.key


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.key)
def test_every_record_carries_its_case(record: BrokenRecord) -> None:
    assert dict(record.headers)[CASE_HEADER] == record.key.encode()


def test_a_nan_goes_out_as_one() -> None:
    with pytest.raises(InvalidEventError) as raised:
        decode(_case("not-a-number").value, (), PREDICTION_REQUESTS)

    assert math.isnan(raised.value.data["features"]["temperature"])


def test_each_lacks_only_what_its_name_says() -> None:
    unknown = decode(_case("unknown-model").value, (), PREDICTION_REQUESTS).data
    late = decode(_case("past-deadline").value, (), PREDICTION_REQUESTS).data
    missing = decode(_case("missing-feature").value, (), PREDICTION_REQUESTS).data

    assert isinstance(unknown, PredictionRequested)
    assert isinstance(late, PredictionRequested)
    assert isinstance(missing, PredictionRequested)
    assert unknown.features == late.features == PATTERN.features
    assert late.deadline is not None
    assert missing.features == {"distance": 1400, "temperature": None}
    assert _case("missing-feature").expected is FailureCode.MISSING_FEATURES
