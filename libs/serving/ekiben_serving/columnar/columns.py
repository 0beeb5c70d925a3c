"""Rows to a frame of columns, and back to arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from ekiben_serving.columnar.building import NULL_BOOLEAN, WIRE, build, index_texts
from ekiben_serving.columnar.frames import (
    Array,
    Buffers,
    ColumnarError,
    brief,
    field,
    pack,
    texts,
    unpack,
    within,
)
from ekiben_serving.specs import ColumnSpec, FeatureValue

COLUMNS_TYPE: Final = "application/vnd.ekiben.columns.v1"
MOST_ROWS: Final = 65_536
MOST_COLUMNS: Final = 4_096
_MAGIC: Final = b"EKC1"
_WHOLE: Final = ("long", "integer")


class Column(NamedTuple):
    """One decoded column. Texts, and booleans with nulls, are objects; null is None, or NaN among numbers."""

    dtype: str
    nulls: bool
    values: Array


def encode_rows(rows: Sequence[Mapping[str, FeatureValue]], signature: Sequence[ColumnSpec]) -> bytes:
    """The frame of rows. A missing name is null; names that the signature does not have are left out.

    Raises:
        ColumnarError: a value does not fit its column. The column is named; validation.check_row finds
            the row.
    """
    heads: list[dict[str, object]] = []
    buffers: list[Array] = []
    for spec in signature:
        head: dict[str, object] = {"name": spec.name, "dtype": spec.dtype, "nulls": not spec.required}
        values = [row.get(spec.name) for row in rows]
        if spec.dtype == "string":
            head["values"], buffer = index_texts(spec, values)
        else:
            buffer = build(spec, values)
        heads.append(head)
        buffers.append(buffer)
    return pack(_MAGIC, {"rows": len(rows), "columns": heads}, buffers)


def decode_columns(body: bytes) -> dict[str, Column]:
    """The columns of a frame by name, all of one length. Numbers are read-only views of the body.

    Raises:
        ColumnarError: it is no frame, or does not hold what it says.
    """
    header, buffers = unpack(_MAGIC, body)
    rows = field(header, "rows", int)
    within("rows", rows, MOST_ROWS)
    heads = field(header, "columns", list)
    within("columns", len(heads), MOST_COLUMNS)
    columns: dict[str, Column] = {}
    for head in heads:
        name, column = _read_column(head, rows, buffers)
        if name in columns:
            raise ColumnarError(f"expected each column once, found {brief(name)} twice")
        columns[name] = column
    buffers.finish()
    return columns


def _read_column(head: object, rows: int, buffers: Buffers) -> tuple[str, Column]:
    if not isinstance(head, dict):
        raise ColumnarError(f"expected an object for each column, found {brief(head)}")
    name, dtype, nulls = field(head, "name", str), field(head, "dtype", str), field(head, "nulls", bool)
    if dtype not in WIRE:
        raise ColumnarError(f"column {name}: expected a dtype of {', '.join(WIRE)}, found {brief(dtype)}")
    whole = dtype in _WHOLE
    buffer = buffers.take("<f8" if whole and nulls else WIRE[dtype], rows)
    if dtype == "string":
        values = _read_texts(name, head, nulls, buffer)
    elif dtype == "boolean":
        values = _read_booleans(name, nulls, buffer)
    else:
        values = buffer
        if buffer.dtype.kind == "f":
            _check_reals(name, buffer, nulls, whole)
    return name, Column(dtype, nulls, values)


def _read_texts(name: str, head: dict[str, Any], nulls: bool, codes: Array) -> Array:
    found = field(head, "values", list)
    texts(f"column {name}", [text for text in found if text is not None] if nulls else found, len(codes))
    _check_codes(name, codes, len(found))
    return np.array(found, object)[codes]


def _read_booleans(name: str, nulls: bool, codes: Array) -> Array:
    _check_codes(name, codes, NULL_BOOLEAN + 1 if nulls else NULL_BOOLEAN)
    return np.array([False, True, None], object)[codes] if nulls else codes.view(bool)


def _check_codes(name: str, codes: Array, values: int) -> None:
    if codes.max() >= values:
        raise ColumnarError(f"column {name}: expected codes below {values}, found {codes.max()}")


def _check_reals(name: str, values: Array, nulls: bool, whole: bool) -> None:
    missing = np.isnan(values)
    if missing.any() and not nulls:
        raise ColumnarError(f"column {name}: expected no nulls, found NaN in row {missing.argmax()}")
    if np.isinf(values).any() or (whole and (values != np.trunc(values))[~missing].any()):
        raise ColumnarError(
            f"column {name}: expected {'integers' if whole else 'finite numbers'}, found others"
        )
