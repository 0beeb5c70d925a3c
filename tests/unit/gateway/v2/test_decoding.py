"""What a body holds is what is read, and a body that lies is refused before anything is made by its word."""

from __future__ import annotations

import json
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from ekiben_inference_gateway.http.v2.datatypes import NUMPY
from ekiben_inference_gateway.http.v2.refused import RefusedError
from ekiben_inference_gateway.http.v2.requests import MOST_ELEMENTS, decode
from unit.gateway.v2.asking import MOST_ROWS, binary, by_triton, header, read, tensor

SHAPES = array_shapes(min_dims=1, max_dims=2, max_side=5)
NUMBERS = [dtype for name, dtype in NUMPY.items() if name != "BYTES"]
TWO_DOUBLES = struct.pack("<2d", 1.5, -2.0)


@given(st.sampled_from(NUMBERS).flatmap(lambda dtype: arrays(dtype, SHAPES)), st.booleans())
def test_what_the_reference_client_writes_of_numbers_is_read_bit_for_bit(array, as_binary):
    (found,) = by_triton({"x": array}, as_binary=as_binary).tensors
    assert found.shape == array.shape
    assert found.values.dtype == array.dtype
    assert np.array_equal(found.values.reshape(found.shape), array, equal_nan=array.dtype.kind == "f")


@given(arrays(object, SHAPES, elements=st.text()), st.booleans())
def test_what_the_reference_client_writes_of_texts_is_read_as_it_is(array, as_binary):
    (found,) = by_triton({"x": array}, as_binary=as_binary).tensors
    assert found.values.tolist() == array.ravel().tolist()


@given(arrays("<f8", st.integers(1, 9)), arrays(object, st.integers(1, 9), elements=st.text(max_size=9)))
def test_a_body_cut_off_anywhere_is_refused(numbers, texts):
    data = numbers.tobytes() + b"".join(
        struct.pack("<I", len(text.encode())) + text.encode() for text in texts
    )
    sizes = numbers.nbytes, len(data) - numbers.nbytes
    head = header(binary(sizes[0], "x", numbers.shape), binary(sizes[1], "y", texts.shape, datatype="BYTES"))
    body = head + data
    assert len(decode(body, str(len(head)), MOST_ROWS).tensors) == 2
    for end in range(len(body)):
        with pytest.raises(RefusedError):
            decode(body[:end], str(len(head)), MOST_ROWS)


@given(st.binary(max_size=200), st.none() | st.text(max_size=5) | st.integers(0, 200).map(str))
def test_no_bytes_break_the_reader(body, length):
    with pytest.raises(RefusedError):
        decode(body, length, MOST_ROWS)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)


@given(
    st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4), max_leaves=12),
    st.lists(st.integers(-(2**70), 2**70) | st.integers(0, 4), max_size=3),
    st.sampled_from([*NUMPY, "BF16", "fp32"]),
)
def test_no_json_breaks_the_reader(data, shape, datatype):
    try:
        (found,) = read(tensor(shape=shape, datatype=datatype, data=data)).tensors
    except RefusedError:
        return
    assert len(found.values) == math.prod(shape)


REFUSED = {
    "fewer elements than the shape tells": (
        lambda: read(tensor(shape=[3], data=[1, 2])),
        "expected 3 elements by its shape [3] and its datatype FP64, found 2",
    ),
    "more elements than the shape tells": (
        lambda: read(tensor(shape=[1], data=[1, 2])),
        "expected 1 elements by its shape [1] and its datatype FP64, found 2",
    ),
    "rows of another length than the shape tells": (
        lambda: read(tensor(shape=[2, 2], data=[[1, 2], [3]])),
        "expected an array of 2 by its shape [2, 2] and its datatype FP64, found an array of 1 as row 1",
    ),
    "arrays where the shape is flat": (
        lambda: read(tensor(shape=[2], data=[[1], [2]])),
        "expected a flat array",
    ),
    "a shape whose product is beyond 64 bits": (
        lambda: read(tensor(shape=[2, 2**63], data=[1, 2])),
        "expected at most 4000000 elements in all inputs, found shapes of 18446744073709551616",
    ),
    "a negative dimension": (
        lambda: read(tensor(shape=[2, -1], data=[1, 2])),
        "expected a shape [rows] or [rows, columns] with 1 to 1000 rows, found [2, -1]",
    ),
    "no dimension": (lambda: read(tensor(shape=[], data=[1])), "found []"),
    "three dimensions": (lambda: read(tensor(shape=[1, 1, 1], data=[1])), "found [1, 1, 1]"),
    "no rows": (lambda: read(tensor(shape=[0], data=[])), "found [0]"),
    "too many rows": (lambda: read(tensor(shape=[1001], data=[0] * 1001)), "found [1001]"),
    "a fraction as a dimension": (
        lambda: read(tensor(shape=[1.5], data=[1])),
        "inputs.0.shape.0: expected a whole number, found 1.5",
    ),
    "an unknown datatype": (
        lambda: read(tensor(datatype="BF16", data=[1, 2])),
        f"expected a datatype of {', '.join(NUMPY)}, found 'BF16'",
    ),
    "a text among numbers": (
        lambda: read(tensor(data=[1, "2"])),
        "expected numbers for FP64, found '2' at element 1",
    ),
    "true among numbers": (lambda: read(tensor(data=[1, True])), "found True at element 1"),
    "a fraction among whole numbers": (
        lambda: read(tensor(datatype="INT32", data=[1, 2.5])),
        "expected whole numbers for INT32, found 2.5 at element 1",
    ),
    "a number beyond its datatype": (
        lambda: read(tensor(datatype="INT8", data=[1, 128])),
        "expected numbers within the range of INT8, found one beyond it",
    ),
    "a number beyond every float": (
        lambda: read(tensor(data=[1, 10**400])),
        "expected numbers within the range of FP64, found one beyond it",
    ),
    "neither data nor binary data": (
        lambda: read(tensor()),
        "expected data, or binary_data_size and Inference-Header-Content-Length, found neither",
    ),
    "both data and binary data": (
        lambda: read(binary(16, data=[1, 2]), behind=TWO_DOUBLES),
        "found both",
    ),
    "binary data of another size than the shape tells": (
        lambda: read(binary(16, shape=[3]), behind=TWO_DOUBLES),
        "expected 24 bytes by its shape [3] and its datatype FP64, found 16",
    ),
    "binary data that are not there": (
        lambda: read(binary(24, shape=[3]), behind=TWO_DOUBLES),
        "expected 24 bytes of binary data, found 16. Was the body cut off",
    ),
    "binary data without the length of the header": (
        lambda: read(binary(16)),
        "expected 16 bytes of binary data, found 0",
    ),
    "binary data that belong to no input": (
        lambda: read(binary(8, shape=[1]), behind=TWO_DOUBLES),
        "expected 8 bytes of binary data, the sum of every binary_data_size, found 16: 8 belong to no",
    ),
    "a size beyond 64 bits": (
        lambda: read(binary(2**200), behind=TWO_DOUBLES),
        "expected an integer of 201 bits bytes of binary data, found 16",
    ),
    "a negative size": (
        lambda: read(binary(-1), behind=TWO_DOUBLES),
        "inputs.0.parameters.binary_data_size: expected at least 0, found -1",
    ),
    "a truth that is neither 0 nor 1": (
        lambda: read(binary(2, datatype="BOOL"), behind=b"\x01\x02"),
        "expected bytes 0 and 1 for BOOL, found 2",
    ),
    "a text whose length lies": (
        lambda: read(binary(9, shape=[1], datatype="BYTES"), behind=struct.pack("<I5s", 2**32 - 1, b"hello")),
        "expected 4294967295 bytes at element 0, as its length tells, found 5",
    ),
    "fewer texts than the shape tells": (
        lambda: read(binary(9, shape=[2], datatype="BYTES"), behind=struct.pack("<I5s", 5, b"hello")),
        "expected 2 elements by its shape [2] and its datatype BYTES, found data that end at element 1",
    ),
    "more texts than the shape tells": (
        lambda: read(binary(9, shape=[1], datatype="BYTES"), behind=struct.pack("<I5s", 1, b"hello")),
        "found 4 bytes behind them",
    ),
    "more texts than can be in so few bytes": (
        lambda: read(binary(9, shape=[900], datatype="BYTES"), behind=b"\0" * 9),
        "expected at least 3600 bytes by its shape [900] and its datatype BYTES, found 9",
    ),
    "a text that is no UTF-8": (
        lambda: read(binary(5, shape=[1], datatype="BYTES"), behind=struct.pack("<I1s", 1, b"\xff")),
        "expected UTF-8 at element 0, found b'\\xff'",
    ),
    "no inputs": (read, "inputs: expected at least 1 item"),
    "a header that is no object": (lambda: decode(b"[]", None, 9), "expected an object, found an array"),
    "truncated JSON": (
        lambda: decode(header(tensor(data=[1, 2]))[:-3], None, 9),
        "expected a JSON object, found Invalid JSON: EOF while parsing an object at line 1 column 81",
    ),
    "JSON nested without an end": (lambda: decode(b"[" * 10**6, None, 9), "recursion limit exceeded"),
    "a header length beyond the body": (
        lambda: decode(b"{}", "3", 9),
        "Inference-Header-Content-Length: expected at most the 2 bytes of the body, found 3",
    ),
    "a header length that is no number": (
        lambda: decode(b"{}", "-1", 9),
        "expected the bytes of the JSON header as a number, found '-1'",
    ),
    "a header length too long to be one": (lambda: decode(b"{}", "9" * 5000, 9), "as a number, found '999"),
    "shared memory": (
        lambda: read(tensor(parameters={"shared_memory_region": "r"})),
        "'distance': expected a tensor in the body, found a shared_memory_region",
    ),
}


@pytest.mark.parametrize(("ask", "says"), REFUSED.values(), ids=REFUSED)
def test_a_body_that_lies_is_refused_and_told_what_was_expected(ask, says):
    with pytest.raises(RefusedError) as refused:
        ask()
    assert says in str(refused.value)
    assert len(str(refused.value)) < 500


def test_what_is_refused_of_an_input_names_it():
    with pytest.raises(RefusedError, match=r"^input 'wind': expected 3 elements"):
        read(tensor(data=[1, 2]), tensor("wind", [3], data=[1]))


def test_elements_are_counted_over_all_inputs():
    many = tensor(shape=[MOST_ROWS, MOST_ELEMENTS // MOST_ROWS], data=[])
    with pytest.raises(RefusedError, match="expected at most 4000000 elements in all inputs"):
        read(many, tensor(shape=[1], data=[1]))


def test_nested_and_flat_data_are_the_same():
    nested = read(tensor(shape=[2, 2], data=[[1, 2], [3, 4]]))
    flat = read(tensor(shape=[2, 2], data=[1, 2, 3, 4]))
    assert nested.tensors[0].values.tolist() == flat.tensors[0].values.tolist() == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("datatype", "value"), [("FP32", 1.5), ("INT32", 7), ("BOOL", True), ("BYTES", "UA")]
)
def test_null_in_json_is_null_of_every_datatype(datatype, value):
    (found,) = read(tensor(datatype=datatype, data=[value, None])).tensors
    first, second = found.values.tolist()
    assert first == value
    assert second is None or math.isnan(second)


def test_what_is_asked_beside_the_tensors_is_read():
    found = read(
        tensor(data=[1, 2]),
        id="42",
        parameters={"binary_data_output": True, "priority": 7},
        outputs=[{"name": "label", "parameters": {"binary_data": False}}],
        unknown={"field": 1},
    )
    assert (found.id, found.binary_output) == ("42", True)
    assert [(one.name, one.parameters.binary_data) for one in found.outputs] == [("label", False)]


def test_a_number_of_json_is_rounded_as_its_datatype_is():
    (found,) = read(tensor(shape=[1], datatype="FP32", data=[0.1])).tensors
    assert found.values.tolist() == [float(np.float32(0.1))]


def test_json_of_the_header_ends_where_its_length_tells():
    body = json.dumps({"inputs": [tensor(shape=[1], data=[1])]}).encode()
    with pytest.raises(RefusedError, match="1 belong to no input"):
        decode(body + b" ", str(len(body)), MOST_ROWS)
