"""What is marked sensitive, and what is shown of an event without it."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from ekiben_contracts.catalog import EVENTS
from ekiben_contracts.checked_in import read
from ekiben_contracts.cloudevents import decode
from ekiben_contracts.documents import schema
from ekiben_contracts.errors import ContractError
from ekiben_contracts.evolution.comparing import changes
from ekiben_contracts.models import InputExample
from ekiben_contracts.prediction import (
    PredictionCompleted,
    PredictionOutcomeObserved,
    PredictionRequested,
)
from ekiben_contracts.sensitive import REDACTED, marks, redact
from ekiben_contracts.topics import PREDICTION_REQUESTS, TRAINED_MODELS
from ekiben_contracts.training import ModelTrained

REQUEST = schema(PredictionRequested)
SECRET = "wears a wig"


def test_marked_are_the_fields_that_hold_what_people_are_like():
    assert {f"{event.type}: {name}" for event in EVENTS for name in marks(event)} == {
        "ekiben.prediction.requested.v1: features",
        "ekiben.models.scored.v1: features",
        "ekiben.models.scored.v1: explanations",
        "ekiben.prediction.completed.v1: explanation",
        "ekiben.prediction.completed.v1: context",
        "ekiben.prediction.outcome-observed.v1: outcome",
        "ekiben.dead-letter.replayed.v1: patch",
    }
    assert marks(InputExample) == {"features"}


def test_features_that_are_known_to_be_harmless_are_shown_and_no_other():
    sent = {"model": "m", "entity_id": "e", "features": {"hour": 5, "hair": SECRET, "typo": 7, "gone": None}}
    found = redact(sent, REQUEST, {"hour", "gone"})
    assert found.value == {
        **sent,
        "features": {"hour": 5, "hair": REDACTED, "typo": REDACTED, "gone": None},
    }
    assert found.hidden == {SECRET, "7"}


@pytest.mark.parametrize(
    "features", [SECRET, [SECRET], {"hour": [SECRET]}, {"hour": {"deep": {"er": SECRET}}}]
)
def test_features_of_another_shape_are_not_shown_at_all(features):
    found = redact({"features": features}, REQUEST, {"hour"})
    assert SECRET not in str(found.value)
    assert REDACTED in str(found.value)


@pytest.mark.parametrize(
    "sent",
    [
        {"ssn": SECRET},
        {"model": {"ssn": SECRET}},
        {"entity_id": [SECRET]},
        [SECRET],
        {"deadline": {"a": SECRET}},
    ],
)
def test_what_the_schema_does_not_know_is_not_shown(sent):
    assert SECRET not in str(redact(sent, REQUEST, ()).value)


def test_a_wrong_value_is_shown_where_it_is_of_the_type_that_its_field_wants_and_no_other():
    sent = {"model": "a b", "entity_id": 7, "explain": SECRET, "deadline": "tomorrow", "context": None}
    found = redact(sent, REQUEST, ())
    assert found.value == {**sent, "entity_id": REDACTED, "explain": REDACTED}
    assert found.mask(f"explain: found {SECRET!r}") == f"explain: found '{REDACTED}'"
    assert redact(json.dumps({"features": {"hair": SECRET}}), REQUEST, {"hair"}).value == REDACTED


def test_parts_inside_and_explanations_of_each_model_are_looked_through():
    example = {"features": {"hour": 5, "hair": SECRET}, "expected": 0.5}
    found = redact({"input_example": example, "metrics": {"auc": 0.7}}, schema(ModelTrained), {"hour"})
    assert found.value == {
        "input_example": {"features": {"hour": 5, "hair": REDACTED}, "expected": 0.5},
        "metrics": {"auc": 0.7},
    }
    done = {
        "explanation": {"hour": 0.25, "hair": 0.125},
        "context": {"similar": [SECRET]},
        "outputs": [{"model": "m"}],
    }
    assert redact(done, schema(PredictionCompleted), {"hour"}).value == {
        "explanation": {"hour": 0.25, "hair": REDACTED},
        "context": REDACTED,
        "outputs": [{"model": "m"}],
    }


def test_a_text_about_the_event_is_masked_where_it_quotes_what_was_taken_out():
    found = redact({"features": {"hair": SECRET, "income": 48_250, "is_old": True, "n": 7}}, REQUEST, ())
    told = found.mask(f"could not convert {SECRET!r}, 48250, True and 7, of 2017")
    assert told == f"could not convert '{REDACTED}', {REDACTED}, True and {REDACTED}, of 2017"


@pytest.mark.parametrize("hair", ["wig", 'O\'Neil "red"\n', "a\\b", "café au lait, since the summer"])
def test_what_was_taken_out_is_masked_as_it_stands_quoted_and_where_it_was_cut(hair):
    found = redact({"features": {"hair": hair}}, REQUEST, ())
    for form in (hair, repr(hair)[1:-1], json.dumps(hair)[1:-1], hair[:20]):
        assert found.mask(f"found <{form}> of 3\n") in (f"found <{REDACTED}> of 3\n", f"found <{REDACTED}\n")
    assert found.mask("a wigwam") == "a wigwam"


def test_neither_repr_nor_error_of_an_event_quotes_what_is_sensitive():
    data = b'{"model": "m", "entity_id": "e", "features": {"hair": "%s"}}' % SECRET.encode()
    event = PredictionRequested.from_json(data)
    lean = PredictionRequested.lean_from_json(data)
    assert type(lean) is not type(event)
    for shown in (repr(event), str(event), repr(lean), str(lean)):
        assert "features='[redacted]'" in shown
        assert SECRET not in shown
    with pytest.raises(ValidationError) as refused:
        PredictionRequested.from_json(
            data.replace(b'{"hair"', b'{"wig": {"is": "%s"}, "hair"' % SECRET.encode())
        )
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "value",
    [
        b"%s;5;EWR" % SECRET.encode(),
        b'{"model": "m", "features": {"hair": "%s"' % SECRET.encode(),
        b'{"model": "m", "entity_id": "e", "features": {"hair": ["%s"]}}' % SECRET.encode(),
        b'{"model": "m", "entity_id": "e", "features": {"x": 1e999, "hair": "%s"}}' % SECRET.encode(),
        b'{"model": "m", "entity_id": "e", "features": "hair=%s"}' % SECRET.encode(),
        b'"{\\"features\\": {\\"hair\\": \\"%s\\"}}"' % SECRET.encode(),
    ],
)
def test_no_error_about_a_record_quotes_a_feature(value):
    with pytest.raises(ContractError) as refused:
        decode(value, [], PREDICTION_REQUESTS)
    assert SECRET not in str(refused.value)


def test_what_is_sensitive_in_a_part_of_an_event_is_told_by_its_length():
    trained = json.loads(read().examples[ModelTrained.type])
    value = json.dumps({**trained, "input_example": {"features": SECRET}}).encode()
    with pytest.raises(ContractError) as refused:
        decode(value, [("ce_type", ModelTrained.type.encode())], TRAINED_MODELS)
    assert "input_example.features: expected an object, found a text of 11 characters" in str(refused.value)


def test_marking_a_field_changes_nothing_of_what_is_accepted():
    marked = {"properties": {"outcome": {"type": "string", "x-sensitive": True}}}
    assert changes({"properties": {"outcome": {"type": "string"}}}, marked) == ()
    assert '"x-sensitive": true' in read().schemas[PredictionOutcomeObserved.type]
