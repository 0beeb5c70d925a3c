"""One column from the values of many rows, checked as a whole: that is what makes it fast."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NoReturn

import numpy as np

from ekiben_serving.columnar.frames import Array, ColumnarError, brief
from ekiben_serving.specs import ColumnSpec, FeatureValue

WIRE: Final[Mapping[str, str]] = {
    "double": "<f8",
    "float": "<f4",
    "long": "<i8",
    "integer": "<i4",
    "boolean": "|u1",
    "string": "<u4",
}
NULL_BOOLEAN: Final = 2
_LARGEST_EXACT: Final = 2**53 - 1
"""The largest integer that a double tells from its neighbours."""
_OPTIONAL_RANGE: Final = {"long": (-_LARGEST_EXACT, _LARGEST_EXACT), "integer": (-(2**31), 2**31 - 1)}


def index_texts(spec: ColumnSpec, values: list[FeatureValue]) -> tuple[list[FeatureValue], Array]:
    """The distinct texts of a column, and the index of each row's."""
    _check_types(spec, values, {str})
    index: dict[FeatureValue, int] = {}
    codes = [index.setdefault(value, len(index)) for value in values]
    return list(index), np.array(codes, WIRE["string"])


def build(spec: ColumnSpec, values: list[FeatureValue]) -> Array:
    """The buffer of a column of numbers or booleans.

    Raises:
        ColumnarError: a value does not fit.
    """
    return _BUILDERS[spec.dtype](spec, values)


def _build_real(spec: ColumnSpec, values: list[FeatureValue]) -> Array:
    _check_types(spec, values, {float, int})
    column = _as_double(spec, values)
    wrong = ~(np.abs(column) <= np.finfo(WIRE[spec.dtype]).max)
    _refuse(spec, values, wrong if spec.required else wrong & ~np.isnan(column))
    return column.astype(WIRE[spec.dtype], copy=False)


def _build_whole(spec: ColumnSpec, values: list[FeatureValue]) -> Array:
    types = _check_types(spec, values, {float, int})
    if spec.required:
        return _as_integers(spec, values if float not in types else _integral(spec, values))
    column = _as_double(spec, values)
    lowest, highest = _OPTIONAL_RANGE[spec.dtype]
    fits = (column >= lowest) & (column <= highest) & (column == np.trunc(column))
    _refuse(spec, values, ~fits & ~np.isnan(column))
    return column


def _build_boolean(spec: ColumnSpec, values: list[FeatureValue]) -> Array:
    _check_types(spec, values, {bool})
    return np.array([NULL_BOOLEAN if value is None else value for value in values], WIRE["boolean"])


_BUILDERS: Final[Mapping[str, Callable[[ColumnSpec, list[FeatureValue]], Array]]] = {
    "double": _build_real,
    "float": _build_real,
    "long": _build_whole,
    "integer": _build_whole,
    "boolean": _build_boolean,
}


def _check_types(spec: ColumnSpec, values: list[FeatureValue], allowed: set[type]) -> set[type]:
    """The exact types among the values: True is no number here."""
    types = set(map(type, values))
    wrong = types - allowed if spec.required else types - allowed - {type(None)}
    if wrong:
        _misfit(spec, next(value for value in values if type(value) in wrong))
    return types


def _as_double(spec: ColumnSpec, values: list[FeatureValue]) -> Array:
    try:
        return np.array(values, "<f8")  # None becomes NaN
    except OverflowError:
        _misfit(spec, "an integer beyond every double")


def _as_integers(spec: ColumnSpec, values: list[FeatureValue]) -> Array:
    try:
        return np.array(values, WIRE[spec.dtype])
    except OverflowError:
        _misfit(spec, "an integer out of its range")


def _integral(spec: ColumnSpec, values: list[FeatureValue]) -> list[FeatureValue]:
    """The values with 3.0 as 3, each on its own: as doubles together, large integers would change."""
    wrong = next((value for value in values if isinstance(value, float) and not value.is_integer()), None)
    if wrong is not None:
        _misfit(spec, wrong)
    return [int(value) if isinstance(value, float) else value for value in values]


def _refuse(spec: ColumnSpec, values: list[FeatureValue], wrong: Array) -> None:
    if wrong.any():
        _misfit(spec, values[int(wrong.argmax())])


def _misfit(spec: ColumnSpec, found: object) -> NoReturn:
    expected = spec.dtype if spec.required else f"{spec.dtype} or null"
    shown = "a value that is not shown" if spec.sensitive else brief(found)
    raise ColumnarError(f"column {spec.name}: expected {expected}, found {shown}") from None
