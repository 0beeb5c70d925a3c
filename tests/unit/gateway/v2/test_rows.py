"""Tensors become rows of features: one tensor for each feature, or one of all columns."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ekiben_contracts.models import DType, FeatureSpec
from ekiben_inference_gateway.http.v2.refused import RefusedError
from ekiben_inference_gateway.http.v2.rows import rows_of
from ekiben_serving.validation import Signature
from unit.gateway.v2.asking import by_triton, read, tensor

MIXED = [
    FeatureSpec(name="distance", dtype=DType.DOUBLE),
    FeatureSpec(name="wind", dtype=DType.FLOAT, required=False),
    FeatureSpec(name="seats", dtype=DType.LONG),
    FeatureSpec(name="night", dtype=DType.BOOLEAN),
    FeatureSpec(name="carrier", dtype=DType.STRING),
]
NUMBERS = [spec for spec in MIXED if spec.dtype in (DType.DOUBLE, DType.FLOAT, DType.LONG)]
ARRAYS = {
    "distance": np.array([500.0, 1400.0]),
    "wind": np.array([np.nan, 0.1], "f4"),
    "seats": np.array([100, 2**60]),
    "night": np.array([True, False]),
    "carrier": np.array(["UA", "é"], object),
}
ROWS = [
    {"distance": 500.0, "wind": None, "seats": 100, "night": True, "carrier": "UA"},
    {
        "distance": 1400.0,
        "wind": float(np.float32(0.1)),
        "seats": 2**60,
        "night": False,
        "carrier": "é",
    },
]


@pytest.mark.parametrize("as_binary", [True, False], ids=["binary", "JSON"])
@pytest.mark.parametrize("shape", [(2,), (2, 1)], ids=str)
def test_a_tensor_for_each_feature_gives_rows_that_the_signature_takes(as_binary, shape):
    asked = {name: array.reshape(shape) for name, array in ARRAYS.items()}
    rows = rows_of(by_triton(asked, as_binary=as_binary).tensors, MIXED).features
    assert rows == ROWS
    assert [Signature(MIXED).check(row) for row in rows] == [None, None]


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4"])
def test_one_tensor_of_all_columns_gives_rows_in_the_order_of_the_signature(dtype):
    asked = by_triton({"input-0": np.array([[500, 3, 100], [1400, 4, 200]], dtype)}, as_binary=True)
    rows = rows_of(asked.tensors, NUMBERS).features
    assert rows == [
        {"distance": 500, "wind": 3, "seats": 100},
        {"distance": 1400, "wind": 4, "seats": 200},
    ]
    assert [Signature(NUMBERS).check(row) for row in rows] == [None, None]


def test_nan_in_a_tensor_of_all_columns_is_null():
    asked = by_triton({"x": np.array([[500, math.nan, 100]])}, as_binary=False)
    assert rows_of(asked.tensors, NUMBERS).features[0]["wind"] is None


def test_a_lone_tensor_with_the_name_of_a_feature_is_that_feature():
    asked = read(tensor("wind", [2, 1], data=[1, 2]))
    assert rows_of(asked.tensors, NUMBERS).features == [{"wind": 1.0}, {"wind": 2.0}]


def test_who_a_row_is_about_comes_as_tensors_beside_the_features():
    ids = np.array(["a", "b"], object)
    asked = by_triton({"entity_id": ids, "distance": np.array([1.0, 2.0]), "request_id": ids}, as_binary=True)
    rows = rows_of(asked.tensors, MIXED)
    assert rows.features == [{"distance": 1.0}, {"distance": 2.0}]
    assert rows.entity_ids == rows.request_ids == ["a", "b"]


def test_entity_id_is_a_feature_where_the_signature_has_it():
    asked = by_triton({"entity_id": np.array(["a"], object)}, as_binary=True)
    rows = rows_of(asked.tensors, [FeatureSpec(name="entity_id", dtype=DType.STRING)])
    assert rows.features == [{"entity_id": "a"}]
    assert rows.entity_ids is None


def test_an_entity_alone_brings_rows_without_features():
    rows = rows_of(read(tensor("entity_id", [2], "BYTES", data=["a", "b"])).tensors, MIXED)
    assert rows == ([{}, {}], ["a", "b"], None)


def test_a_feature_too_many_is_left_to_the_model():
    asked = read(tensor("colour", [1], "BYTES", data=["red"]), tensor("distance", [1], data=[5]))
    assert rows_of(asked.tensors, MIXED).features == [{"colour": "red", "distance": 5.0}]


REFUSED = {
    "inputs of different lengths": (
        [tensor("distance", [2], data=[1, 2]), tensor("wind", [1], data=[1])],
        MIXED,
        "expected as many rows in each input, found 2 in 'distance' and 1 in 'wind'",
    ),
    "an input twice": ([tensor(data=[1, 2]), tensor(data=[1, 2])], MIXED, "found 'distance' twice"),
    "a text for a number": (
        [tensor("seats", [1], "BYTES", data=["7"])],
        MIXED,
        "input 'seats': expected INT64 for a feature of dtype long, found BYTES",
    ),
    "a number for a text": (
        [tensor("carrier", [1], "INT32", data=[7])],
        MIXED,
        "expected BYTES for a feature of dtype string, found INT32",
    ),
    "a number for true or false": (
        [tensor("night", [1], "UINT8", data=[1])],
        MIXED,
        "expected BOOL for a feature of dtype boolean, found UINT8",
    ),
    "infinity": (
        [tensor("wind", [2], data=[1, math.inf])],
        MIXED,
        "expected finite numbers, and NaN for what is unknown, found inf in row 1",
    ),
    "a feature of two columns": (
        [tensor("distance", [1, 2], data=[1, 2]), tensor("wind", [1], data=[1])],
        MIXED,
        "input 'distance': expected a shape [rows] or [rows, 1], found [1, 2]",
    ),
    "all columns of a model that takes a text": (
        [tensor("x", [1, 5], data=[1] * 5)],
        MIXED,
        "expected a tensor for each feature, found one for all, and its feature night is boolean. Send",
    ),
    "all columns of a model whose route tells none": (
        [tensor("x", [1, 5], data=[1] * 5)],
        [],
        "found one for all, and its route tells no features",
    ),
    "all columns as texts": (
        [tensor("x", [1, 3], "BYTES", data=["1"] * 3)],
        NUMBERS,
        "found one for all, and it is BYTES",
    ),
    "columns too few": (
        [tensor("x", [2, 2], data=[1] * 4)],
        NUMBERS,
        "input 'x': expected a shape [rows, 3], the features in the order of the metadata, found [2, 2]",
    ),
    "no features": (
        [tensor("request_id", [1], "BYTES", data=["a"])],
        MIXED,
        "expected inputs for distance, wind, seats, night, carrier, found none of features",
    ),
    "an entity of a model whose route tells no features": (
        [tensor("entity_id", [1], "BYTES", data=["a"])],
        [],
        "expected inputs for its features, found none of features",
    ),
    "an id that is a number": (
        [tensor("entity_id", [1], data=[1]), tensor("distance", [1], data=[1])],
        MIXED,
        "input 'entity_id': expected a text of BYTES for each row, found FP64",
    ),
    "an id that is empty": (
        [tensor("request_id", [1], "BYTES", data=[""]), tensor("distance", [1], data=[1])],
        MIXED,
        "input 'request_id': expected a text of BYTES for each row, found an empty one",
    ),
}


@pytest.mark.parametrize(("inputs", "signature", "says"), REFUSED.values(), ids=REFUSED)
def test_tensors_that_are_no_rows_are_refused_and_told_what_was_expected(inputs, signature, says):
    with pytest.raises(RefusedError) as refused:
        rows_of(read(*inputs).tensors, signature)
    assert says in str(refused.value)
