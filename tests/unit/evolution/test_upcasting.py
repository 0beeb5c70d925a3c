"""Whatever version a record is of, its handler meets the newest: same identity, same key, nothing guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ekiben_contracts.cloudevents import decode, encode, encode_structured
from ekiben_contracts.errors import InvalidEventError, NewerVersionError, Reason, UnreadableError
from ekiben_contracts.event import Event, Identifier
from ekiben_contracts.evolution.upcasting import Upcaster, older_versions, upcast
from ekiben_contracts.prediction import PredictionRequested
from ekiben_contracts.topics import PREDICTION_REQUESTS
from unit.contracts.strategies import of_model, unhurried
from unit.evolution.second_version import (
    HOURS,
    REQUESTS_IN_DETAIL,
    REQUESTS_IN_HOURS,
    Detail,
    RequestedInDetail,
    RequestedInHours,
)

NOW = datetime(2013, 7, 1, 8, 15, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ONE = PredictionRequested(
    attempt=2,
    request_id="flight-7",
    model="delay",
    entity_id="UA-1545",
    time_horizon="long_term",
    explain=True,
)
KEPT = ("attempt", "request_id", "model", "entity_id", "features", "requested_at", "deadline")


def wire(event: Event) -> tuple[bytes, list[tuple[str, bytes]]]:
    return encode(event, id="id-7", source="/users", time=NOW, traceparent=TRACE)


@unhurried
@given(of_model(PredictionRequested), st.sampled_from([REQUESTS_IN_HOURS, REQUESTS_IN_DETAIL]), st.booleans())
@example(ONE, REQUESTS_IN_DETAIL, True)
def test_every_valid_old_event_is_a_valid_new_one_and_keeps_its_identity(old, topic, lean):
    (newest,) = topic.types

    found = decode(*wire(old), topic, lean=lean)

    assert type(found.data) is newest
    assert newest.from_json(found.data.to_json()) == found.data
    assert (found.id, found.source, found.traceparent) == ("id-7", "/users", TRACE)
    assert [getattr(found.data, name) for name in KEPT] == [getattr(old, name) for name in KEPT]
    assert topic.key_of(found.data) == PREDICTION_REQUESTS.key_of(old)
    assert found.data.horizon_hours == HOURS.get(old.time_horizon)


def test_versions_are_passed_one_after_the_other():
    found = decode(*wire(ONE), REQUESTS_IN_DETAIL).data

    assert isinstance(found, RequestedInDetail)
    assert (found.horizon_hours, found.explain) == (HOURS["long_term"], Detail.FEATURES)
    assert older_versions(RequestedInDetail) == (RequestedInHours, PredictionRequested)


@unhurried
@given(of_model(RequestedInHours))
def test_a_record_of_the_newest_version_is_read_as_it_is(new):
    assert decode(*wire(new), REQUESTS_IN_HOURS).data == new


def test_of_the_newest_version_no_upcaster_is_asked(monkeypatch):
    def never(old: object) -> RequestedInHours:
        raise AssertionError(f"expected the newest version to be left alone, found {old} converted")

    monkeypatch.setattr(RequestedInHours, "upcaster", Upcaster(PredictionRequested, never))
    value, headers = wire(RequestedInHours(model="delay", entity_id="UA-1545"))

    for lean in (True, False):
        read = decode(value, headers, replace(REQUESTS_IN_HOURS), lean=lean)
        assert read.data.type == RequestedInHours.type


def test_an_old_event_in_structured_mode_becomes_the_newest_too():
    value, headers = encode_structured(ONE, id="id-7", source="/users", time=NOW, traceparent=TRACE)

    found = decode(value, headers, REQUESTS_IN_HOURS)

    assert (type(found.data), found.id, found.traceparent) == (RequestedInHours, "id-7", TRACE)


def test_what_names_no_version_means_for_ever_what_it_meant_at_first():
    bare = b'{"model": "delay", "entity_id": "UA-1545", "time_horizon": "long_term"}'

    for topic in (REQUESTS_IN_HOURS, REQUESTS_IN_DETAIL):
        assert decode(bare, [], topic).data.horizon_hours == HOURS["long_term"]
    assert decode(bare, [], PREDICTION_REQUESTS).data.time_horizon == "long_term"


def test_a_wrong_field_of_an_old_version_is_told_of_that_version():
    with pytest.raises(InvalidEventError, match=r"requested\.v1: time_horizon: expected text, found 7"):
        decode(
            b'{"model": "m", "entity_id": "e", "time_horizon": 7}',
            [("ce_type", b"ekiben.prediction.requested.v1")],
            REQUESTS_IN_HOURS,
        )


def test_the_next_version_is_told_apart_with_what_to_do():
    value, headers = wire(RequestedInHours(model="delay", entity_id="UA-1545"))

    with pytest.raises(NewerVersionError) as raised:
        decode(value, headers, PREDICTION_REQUESTS)

    assert (raised.value.reason, raised.value.ce_id) == (Reason.UNKNOWN_VERSION, "id-7")
    assert str(raised.value) == (
        "expected ekiben.prediction.requested.v1 on ekiben.prediction-requests, "
        "found 'ekiben.prediction.requested.v2', of a later release: upgrade this service, then "
        "`ekiben dlq replay --topic ekiben.prediction-requests --reason unknown-version`"
    )


@pytest.mark.parametrize("number", ["0", "1 ", "01", "3", "99", "9" * 60_000, "²", "x", ""])
def test_no_other_version_is_taken_for_the_next(number: str):
    with pytest.raises(UnreadableError) as raised:
        decode(b"{}", [("ce_type", f"ekiben.prediction.requested.v{number}".encode())], PREDICTION_REQUESTS)

    assert raised.value.reason is Reason.UNKNOWN_VERSION
    assert not isinstance(raised.value, NewerVersionError)


def _breaks(old: PredictionRequested) -> RequestedInHours:
    raise ZeroDivisionError(old.features)


def _invalid(old: PredictionRequested) -> RequestedInHours:
    return RequestedInHours(model=old.model, entity_id=old.entity_id, horizon_hours=0)


def _another(old: PredictionRequested) -> RequestedInDetail:
    return RequestedInDetail(model=old.model, entity_id=old.entity_id)


@pytest.mark.parametrize(
    ("convert", "why"),
    [
        (_breaks, "found ZeroDivisionError; mend its upcaster"),
        (_invalid, "found ValidationError: horizon_hours: expected at least 1, found a number; mend"),
        (_another, "found TypeError; mend its upcaster"),
    ],
)
def test_what_an_upcaster_fails_on_is_unreadable_under_a_reason_of_its_own(monkeypatch, convert, why):
    monkeypatch.setattr(RequestedInHours, "upcaster", Upcaster(PredictionRequested, convert))

    with pytest.raises(UnreadableError) as raised:
        decode(*wire(ONE), REQUESTS_IN_HOURS)

    assert (raised.value.reason, raised.value.ce_id) == (Reason.NOT_UPCAST, "id-7")
    assert why in str(raised.value)
    assert "`ekiben dlq replay --topic ekiben.prediction-requests --reason not-upcast`" in str(raised.value)


def test_an_upcaster_that_forgets_the_attempt_does_not_lose_it(monkeypatch):
    monkeypatch.setattr(
        RequestedInHours,
        "upcaster",
        Upcaster(PredictionRequested, lambda old: RequestedInHours(model=old.model, entity_id=old.entity_id)),
    )

    assert upcast(ONE, RequestedInHours).attempt == ONE.attempt == 2


def test_what_is_no_earlier_version_cannot_be_upcast():
    class Landed(Event):
        """Something else."""

        type: ClassVar[str] = "ekiben.flight.landed.v1"
        entity_id: Identifier

    with pytest.raises(TypeError, match=r"earlier version of ekiben\.prediction\.requested\.v1, found"):
        upcast(Landed(entity_id="UA-1545"), RequestedInHours)
