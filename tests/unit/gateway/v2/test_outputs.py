"""What models answered, as the reference client reads it, JSON and binary."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.http import InferResult

from ekiben_contracts.models import ProblemType
from ekiben_contracts.prediction import Output, PredictionRequested
from ekiben_inference_gateway.http.v2.messages import OutputParameters, WantedOutput
from ekiben_inference_gateway.http.v2.outputs import check_wanted, outputs_of, select, tensors_of, version_of
from ekiben_inference_gateway.http.v2.refused import RefusedError
from ekiben_inference_gateway.http.v2.responses import encode
from ekiben_inference_gateway.requests import Request
from ekiben_inference_gateway.routing import Plan
from ekiben_inference_gateway.scoring import Asked, Scored
from unit.gateway.v2.fakes import NOW

FINITE = st.floats(allow_nan=False, allow_infinity=False)
LABELS = ("on time", "late", "spät")


def scored(value, label=None, probabilities=None, version="1", request_id="r"):
    output = Output(
        model="delay", version=version, value=value, label=label, probabilities=probabilities, latency_ms=1.0
    )
    request = Request(request_id, PredictionRequested(model="delay", entity_id="e", features={}), NOW)
    return Scored(Asked(request, Plan("delay", ()), {}, ()), [output], [])


@st.composite
def classified(draw):
    """A row of a classifier, with the probability of each class."""
    return scored(
        draw(FINITE),
        draw(st.sampled_from(LABELS)),
        dict(zip(LABELS, draw(st.tuples(*[FINITE] * 3)), strict=True)),
    )


def read(rows, *, binary, wanted=()):
    """What the reference client makes of the answer."""
    tensors = select(tensors_of(rows, LABELS), wanted, binary=binary)
    encoded = encode("delay", "1", "42", tensors)
    return InferResult.from_response_body(encoded.body, header_length=encoded.header_length)


@given(st.lists(classified(), min_size=1, max_size=5), st.booleans())
def test_what_a_classifier_answered_is_read_bit_for_bit(rows, binary):
    found = read(rows, binary=binary)
    outputs = [one.outputs[0] for one in rows]
    assert found.as_numpy("prediction").tolist() == [one.value for one in outputs]
    labels = [text.decode() if binary else text for text in found.as_numpy("label").tolist()]
    assert labels == [one.label for one in outputs]
    probabilities = [list((one.probabilities or {}).values()) for one in outputs]
    assert found.as_numpy("probabilities").tolist() == probabilities
    assert found.get_response()["id"] == "42"


@given(st.lists(FINITE, min_size=1, max_size=5), st.booleans())
def test_a_regression_answers_a_prediction_and_nothing_else(values, binary):
    found = read([scored(value) for value in values], binary=binary)
    assert np.array_equal(found.as_numpy("prediction"), values)
    assert [one["name"] for one in found.get_response()["outputs"]] == ["prediction"]


def test_classes_stand_in_the_order_of_the_model_and_are_told():
    tensors = tensors_of([scored(0.2, "late", {"late": 0.2, "on time": 0.8})], ("on time", "late"))
    assert tensors["probabilities"].values.tolist() == [0.8, 0.2]
    assert json.loads(tensors["probabilities"].parameters["classes"]) == ["on time", "late"]


def test_a_version_that_does_not_know_a_class_gives_it_nothing():
    rows = [scored(0.6, "a", {"a": 0.6, "b": 0.4}), scored(0.5, "c", {"a": 0.5, "c": 0.5})]
    tensor = tensors_of(rows, ("a", "b"))["probabilities"]
    assert (tensor.classes, tensor.shape) == (["a", "b", "c"], (2, 3))
    assert tensor.values.tolist() == [0.6, 0.4, 0.0, 0.5, 0.0, 0.5]


def test_the_version_is_told_where_one_answered_all_rows():
    same, other = scored(1.0), scored(1.0, version="2")
    assert version_of([one.outputs[0] for one in (same, same)]) == "1"
    assert version_of([one.outputs[0] for one in (same, other)]) is None


def test_labels_are_answered_only_where_every_row_has_one():
    assert "label" not in tensors_of([scored(1.0, "late"), scored(1.0)], ())


def test_outputs_come_in_the_order_in_which_they_are_wanted():
    wanted = [WantedOutput(name="request_id"), WantedOutput(name="prediction")]
    found = read([scored(0.5, request_id="flight-7")], binary=False, wanted=wanted)
    assert [one["name"] for one in found.get_response()["outputs"]] == ["request_id", "prediction"]
    assert found.as_numpy("request_id").tolist() == ["flight-7"]


def test_an_output_that_was_not_answered_is_refused():
    wanted = [WantedOutput(name="label", parameters=OutputParameters(binary_data=True))]
    check_wanted(wanted, None)
    with pytest.raises(
        RefusedError, match="expected outputs of prediction, request_id, model_version, found"
    ):
        read([scored(0.5)], binary=False, wanted=wanted)


def test_only_classifiers_and_models_that_nobody_tells_of_may_answer_labels():
    assert {kind: len(outputs_of(kind)) for kind in (None, *ProblemType)} == {
        None: 3,
        ProblemType.CLASSIFICATION: 3,
        ProblemType.REGRESSION: 1,
        ProblemType.CAUSAL: 1,
    }
