"""The columnar body: what goes in comes out, and nothing malformed gets in."""

from __future__ import annotations

import json
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_contracts.event import FeatureValue
from ekiben_contracts.models import DType, FeatureSpec
from ekiben_serving.columnar import (
    MOST_ROWS,
    Answer,
    ColumnarError,
    CutOffError,
    decode_answer,
    decode_columns,
    encode_answer,
    encode_rows,
)
from ekiben_serving.validation import Signature, check_row

FITTING: dict[DType, st.SearchStrategy[FeatureValue]] = {
    DType.BOOLEAN: st.booleans(),
    DType.INTEGER: st.integers(-(2**31), 2**31 - 1),
    DType.LONG: st.integers(-(2**63), 2**63 - 1),
    DType.FLOAT: st.floats(width=32, allow_nan=False, allow_infinity=False),
    DType.DOUBLE: st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
    DType.STRING: st.text(),
}
SMALL_LONG = st.integers(-(2**53) + 1, 2**53 - 1)
ANYTHING: st.SearchStrategy[FeatureValue] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
    | st.sampled_from([2**31, -(2**31) - 1, 2**53, 2**53 + 1, 2**63, -(2**63) - 1, 3.5e38, 10**400, 3.0])
)  # fmt: skip


@st.composite
def signatures(draw: st.DrawFn) -> list[FeatureSpec]:
    names = draw(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=5, unique=True))
    return [
        FeatureSpec(name=name, dtype=draw(st.sampled_from(DType)), required=draw(st.booleans()))
        for name in names
    ]


@st.composite
def fitting_rows(draw: st.DrawFn) -> tuple[list[FeatureSpec], list[dict[str, FeatureValue]]]:
    signature = draw(signatures())
    columns = {spec.name: _fitting(spec) for spec in signature}
    return signature, draw(st.lists(st.fixed_dictionaries(columns), min_size=1, max_size=8))


def _fitting(spec: FeatureSpec) -> st.SearchStrategy[FeatureValue]:
    if spec.required:
        return FITTING[spec.dtype]
    return st.none() | (SMALL_LONG if spec.dtype is DType.LONG else FITTING[spec.dtype])


def _plain(value: object) -> object:
    return None if value is None or (isinstance(value, float) and math.isnan(value)) else value


@given(fitting_rows())
def test_every_row_that_fits_its_signature_comes_out_as_it_went_in(
    case: tuple[list[FeatureSpec], list[dict[str, FeatureValue]]],
) -> None:
    signature, rows = case

    columns = decode_columns(encode_rows(rows, signature))

    assert list(columns) == [spec.name for spec in signature]
    for spec in signature:
        found = [_plain(value) for value in columns[spec.name].values.tolist()]
        assert found == [row[spec.name] for row in rows]


@given(signatures(), st.data())
def test_it_encodes_exactly_the_rows_that_pass_the_check(
    signature: list[FeatureSpec], data: st.DataObject
) -> None:
    row = {spec.name: data.draw(ANYTHING) for spec in signature}
    problem = check_row(row, Signature(signature))

    if problem is None:
        decode_columns(encode_rows([row], signature))
    else:
        with pytest.raises(ColumnarError):
            encode_rows([row], signature)


def test_a_missing_name_is_null_and_an_unknown_one_is_left_out() -> None:
    signature = [FeatureSpec(name="distance", dtype=DType.DOUBLE, required=False)]

    columns = decode_columns(encode_rows([{"tail": "N1"}, {"distance": 7}], signature))

    assert list(columns) == ["distance"]
    assert np.array_equal(columns["distance"].values, [math.nan, 7.0], equal_nan=True)


@pytest.mark.parametrize(
    ("dtype", "nulls", "expected"),
    [
        (DType.DOUBLE, False, "float64"),
        (DType.FLOAT, True, "float32"),
        (DType.LONG, False, "int64"),
        (DType.LONG, True, "float64"),
        (DType.INTEGER, False, "int32"),
        (DType.BOOLEAN, False, "bool"),
        (DType.BOOLEAN, True, "object"),
        (DType.STRING, False, "object"),
    ],
)
def test_the_type_of_a_column_depends_on_the_signature_and_not_on_its_values(
    dtype: DType, nulls: bool, expected: str
) -> None:
    value: FeatureValue = "x" if dtype is DType.STRING else True if dtype is DType.BOOLEAN else 1
    columns = decode_columns(
        encode_rows([{"a": value}], [FeatureSpec(name="a", dtype=dtype, required=not nulls)])
    )

    assert str(columns["a"].values.dtype) == expected


SIGNATURE = [
    FeatureSpec(name="distance", dtype=DType.DOUBLE),
    FeatureSpec(name="seats", dtype=DType.LONG, required=False),
    FeatureSpec(name="night", dtype=DType.BOOLEAN, required=False),
    FeatureSpec(name="carrier", dtype=DType.STRING),
]
ROWS: list[dict[str, FeatureValue]] = [
    {"distance": 1.5, "seats": 3, "night": True, "carrier": "UA"},
    {"distance": -2, "seats": None, "night": None, "carrier": "é"},
    {"distance": 0, "seats": 4.0, "night": False, "carrier": "UA"},
]
BODY = encode_rows(ROWS, SIGNATURE)


@given(st.integers(0, len(BODY) - 1))
def test_a_body_cut_off_anywhere_is_refused(length: int) -> None:
    with pytest.raises(ColumnarError):
        decode_columns(BODY[:length])


@given(st.binary(min_size=1, max_size=16))
def test_a_body_with_something_behind_it_is_refused(tail: bytes) -> None:
    with pytest.raises(ColumnarError, match="expected a body of"):
        decode_columns(BODY + tail)


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_still_gives_whole_columns(place: int, change: int) -> None:
    body = bytearray(BODY)
    body[place] ^= change
    try:
        columns = decode_columns(bytes(body))
    except ColumnarError:
        return
    assert len({len(column.values) for column in columns.values()}) == 1


@given(st.binary(max_size=200))
def test_arbitrary_bytes_behind_the_magic_are_refused(tail: bytes) -> None:
    with pytest.raises(ColumnarError):
        decode_columns(b"EKC1" + tail)


def _frame(header: object, buffers: bytes = b"", magic: bytes = b"EKC1") -> bytes:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    head += b" " * (-(8 + len(head)) % 8)
    return magic + struct.pack("<I", len(head)) + head + buffers


A_COLUMN: dict[str, object] = {"name": "a", "dtype": "double", "nulls": False}


def _column(**changes: object) -> dict[str, object]:
    return {"rows": 1, "columns": [A_COLUMN | changes]}


EIGHT = bytes(8)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", "starts with"),
        (b"EKC2" + BODY[4:], "starts with"),
        (b"EKC1\xff\xff\xff\xff", "header up to byte 4294967303"),
        (_frame(b"\xff\xfe"), "JSON header"),
        (_frame(b"[" * 100_000), "JSON header"),
        (_frame(b'{"rows": ' + b"9" * 5000 + b"}"), "JSON header"),
        (_frame([1]), "JSON object"),
        (_frame({"columns": []}), "rows as int, found None"),
        (_frame({"rows": True, "columns": []}), "rows as int, found True"),
        (_frame({"rows": 0, "columns": []}), f"1 to {MOST_ROWS} rows, found 0"),
        (_frame({"rows": -1, "columns": []}), f"1 to {MOST_ROWS} rows, found -1"),
        (_frame({"rows": 10**12, "columns": []}), f"1 to {MOST_ROWS} rows"),
        (_frame({"rows": 1, "columns": []}), "1 to 4096 columns, found 0"),
        (_frame({"rows": 1, "columns": [{}] * 5000}), "1 to 4096 columns, found 5000"),
        (_frame({"rows": 1, "columns": ["a"]}), "an object for each column"),
        (_frame({"rows": 1, "columns": [A_COLUMN] * 2}, EIGHT * 2), "twice"),
        (_frame(_column(dtype="decimal"), EIGHT), "a dtype of"),
        (_frame(_column(name=None), EIGHT), "name as str"),
        (_frame(_column(nulls=0), EIGHT), "nulls as bool"),
        (_frame(_column() | {"rows": 2}, EIGHT), "16 bytes for a buffer, found 8"),
        (_frame(_column(), struct.pack("<d", math.nan)), "no nulls"),
        (_frame(_column(nulls=True), struct.pack("<d", math.inf)), "finite numbers"),
        (_frame(_column(dtype="long", nulls=True), struct.pack("<d", 1.5)), "integers"),
        (_frame(_column(dtype="boolean"), b"\x02" + bytes(7)), "codes below 2, found 2"),
        (_frame(_column(dtype="boolean", nulls=True), b"\x03" + bytes(7)), "codes below 3, found 3"),
        (_frame(_column(dtype="string", values=["x"]), b"\x01" + bytes(7)), "codes below 1, found 1"),
        (_frame(_column(dtype="string", values=[]), EIGHT), "codes below 0"),
        (_frame(_column(dtype="string", values=[None]), EIGHT), "at most 1 texts"),
        (_frame(_column(dtype="string", values=["x", "y"]), EIGHT), "at most 1 texts"),
        (_frame(_column(dtype="string"), EIGHT), "values as list"),
    ],
)
def test_a_hostile_body_is_refused_and_told_why(body: bytes, found: str) -> None:
    with pytest.raises(ColumnarError, match=found):
        decode_columns(body)


def _answer(**changes: object) -> Answer:
    answer = Answer(
        model="delay",
        version="3",
        values=np.array([0.25, math.nan, 0.75]),
        errors={1: ("invalid_request", "unknown carrier")},
        classes=["on time", "late"],
        labels=np.array([0, -1, 1]),
        probabilities=np.array([[0.75, 0.25], [math.nan, math.nan], [0.25, 0.75]]),
    )
    return answer._replace(**changes)


def test_an_answer_comes_out_as_it_went_in() -> None:
    found = decode_answer(encode_answer(_answer()), 3)

    assert (found.model, found.version, list(found.classes)) == ("delay", "3", ["on time", "late"])
    assert found.errors == {1: ("invalid_request", "unknown carrier")}
    assert np.array_equal(found.values, [0.25, math.nan, 0.75], equal_nan=True)
    assert np.array_equal(found.labels, [0, -1, 1])  # type: ignore[arg-type]
    assert np.array_equal(found.probabilities[2], [0.25, 0.75])  # type: ignore[index]


def test_the_answer_of_a_regression_has_no_classes() -> None:
    found = decode_answer(encode_answer(Answer("minutes", "1", np.array([3.5]))), 1)

    assert (found.values.tolist(), found.labels, found.probabilities) == ([3.5], None, None)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (_answer(errors={}), "labels from 0 to 1"),
        (_answer(labels=np.array([0, 0, 2])), "labels from 0 to 1"),
        (_answer(labels=np.array([-1, 0, 0])), "labels from 0 to 1"),
        (_answer(errors={3: ("internal", "")}), "a row below 3"),
        (_answer(values=np.zeros(2)), "answers to 3 rows, found 2"),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused(answer: Answer, found: str) -> None:
    with pytest.raises(ColumnarError, match=found):
        decode_answer(encode_answer(answer), 3)


@pytest.mark.parametrize(
    ("answer", "errors"),
    [
        (_answer(values=np.array([math.inf, math.nan, 0.75])), {0: "internal", 1: "invalid_request"}),
        (
            _answer(probabilities=np.array([[0.75, 0.25], [math.nan] * 2, [math.nan, 0.75]])),
            {1: "invalid_request", 2: "internal"},
        ),
        (Answer("minutes", "1", np.array([1.0, math.nan, -math.inf])), {1: "internal", 2: "internal"}),
    ],
)
def test_a_row_without_finite_numbers_is_an_error_of_that_row_alone(
    answer: Answer, errors: dict[int, str]
) -> None:
    found = decode_answer(encode_answer(answer), 3)

    assert {row: code for row, (code, _) in found.errors.items()} == errors
    assert math.isfinite(found.values[next(row for row in range(3) if row not in errors)])


@given(st.integers(0, len(encode_answer(_answer())) - 1))
def test_the_beginning_of_an_answer_is_told_from_nonsense(size: int) -> None:
    with pytest.raises(CutOffError):
        decode_answer(encode_answer(_answer())[:size], 3)


@given(st.integers(0, 400), st.integers(1, 255))
def test_a_changed_byte_of_an_answer_is_refused_or_still_answers_every_row(place: int, change: int) -> None:
    body = bytearray(encode_answer(_answer()))
    body[place % len(body)] ^= change
    try:
        answer = decode_answer(bytes(body), 3)
    except ColumnarError:
        return
    assert all(row in answer.errors or math.isfinite(value) for row, value in enumerate(answer.values))
