"""The lean forms hold what their models hold, say the same JSON, and are no way around what is checked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from ekiben_contracts.cloudevents import decode, encode_structured
from ekiben_contracts.event import Event
from ekiben_contracts.lean import (
    COMPLETED,
    OUTPUT,
    REQUESTED,
    SCORED,
    LeanCompleted,
    LeanOutput,
    LeanRequested,
    LeanScored,
)
from ekiben_contracts.prediction import ModelsScored, PredictionRequested
from ekiben_contracts.topics import MODEL_OUTPUTS, PREDICTION_REQUESTS
from unit.contracts.strategies import of_model, unhurried

FORMS = (OUTPUT, REQUESTED, SCORED, COMPLETED)
forms = st.sampled_from(FORMS).flatmap(lambda form: st.tuples(of_model(form[0]), st.just(form[1])))
REQUEST = b'{"model":"%s","entity_id":"e"}'
SCORED_BY = b"""{"request_id":"r","model":"m","entity_id":"e","time_horizon":"",
    "requested_at":"2026-11-22T10:11:12Z","outputs":[{"model":"%s","version":"1","value":1.0,"latency_ms":1}]}"""


@unhurried
@given(forms)
def test_a_lean_form_says_what_its_model_says(both):
    model, form = both
    lean = form(**model.__dict__)

    assert isinstance(lean, form)
    assert not isinstance(lean, BaseModel)
    if isinstance(model, Event):
        assert lean.type == type(model).type
        assert lean.to_json() == model.to_json()
    assert all(getattr(lean, name) == getattr(model, name) for name in type(model).model_fields)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form[0].__name__)
def test_a_field_that_may_be_missing_has_the_default_of_the_model(form):
    model, lean = form
    required = {name: None for name, info in model.model_fields.items() if info.is_required()}

    made = lean(**required)

    for name, info in model.model_fields.items():
        if not info.is_required():
            assert getattr(made, name) == info.get_default(call_default_factory=True), name


def test_of_a_list_that_may_be_missing_each_has_its_own():
    fields = {name: None for name, info in ModelsScored.model_fields.items() if info.is_required()}

    assert LeanScored(**fields).missing is not LeanScored(**fields).missing


def test_no_lean_form_is_changed_once_it_is_made():
    for form in (LeanOutput, LeanRequested, LeanScored, LeanCompleted):
        assert form.__struct_config__.frozen


def test_what_is_read_lean_is_lean_with_what_is_inside():
    read = decode(SCORED_BY % b"m", [], MODEL_OUTPUTS, lean=True).data

    assert isinstance(read, LeanScored)
    assert isinstance(read.outputs[0], LeanOutput)


def test_what_only_pydantic_takes_is_read_as_its_model():
    read = decode(b'{"model":"m","entity_id":"e","a_later_version":1}', [], PREDICTION_REQUESTS, lean=True)

    assert isinstance(read.data, PredictionRequested)


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (PredictionRequested, REQUEST % b"no name"),
        (PredictionRequested, REQUEST % b""),
        (ModelsScored, SCORED_BY % b"no name"),
    ],
)
def test_a_text_that_does_not_fit_is_refused_lean_too(event, data):
    with pytest.raises(ValueError, match=r"string_pattern_mismatch|string_too_short"):
        event.lean_from_json(data)


def test_a_lean_event_travels_in_structured_mode_too():
    lean = PredictionRequested.lean_from_json(REQUEST % b"m")
    value, headers = encode_structured(lean, id="1", source="/test", time=datetime.now(UTC))

    assert isinstance(lean, LeanRequested)
    assert decode(value, headers, PREDICTION_REQUESTS, lean=True).data == lean
