"""The elements of a tensor from JSON: nested as its shape tells, or flat."""

from __future__ import annotations

from itertools import chain
from math import prod
from typing import Any, Final

import numpy as np

from ekiben_inference_gateway.http.v2.binary_data import as_objects
from ekiben_inference_gateway.http.v2.datatypes import NUMPY, Array
from ekiben_inference_gateway.http.v2.refused import RefusedError, shortly

_NULL: Final = type(None)
_KINDS: Final[dict[str, tuple[frozenset[type], str]]] = {
    "b": (frozenset({bool}), "true or false"),
    "u": (frozenset({int}), "whole numbers"),
    "i": (frozenset({int}), "whole numbers"),
    "f": (frozenset({int, float}), "numbers"),
    "O": (frozenset({str}), "texts"),
}


def read(datatype: str, data: list[Any], shape: list[int], told: str) -> Array:
    """As many elements as the shape tells. null, which the protocol does not know, is None, or NaN in floats.

    Raises:
        RefusedError: there are fewer or more, they are nested otherwise, or are none of this datatype.
    """
    values = _flat(data, shape, told)
    if len(values) != prod(shape):
        raise RefusedError(f"expected {prod(shape)} elements {told}, found {len(values)}")
    kinds, expected = _KINDS[NUMPY[datatype].kind]
    types = set(map(type, values))
    if wrong := types - kinds - {_NULL}:
        place, found = next((place, value) for place, value in enumerate(values) if type(value) in wrong)
        raise RefusedError(f"expected {expected} for {datatype}, found {shortly(found)} at element {place}")
    return _array(datatype, values, has_nulls=_NULL in types)


def _flat(data: list[Any], shape: list[int], told: str) -> list[Any]:
    if not data or not isinstance(data[0], list):
        return data
    if len(shape) == 1 or len(data) != shape[0]:
        raise RefusedError(
            f"expected a flat array, or arrays nested {told}, found an array of {len(data)} arrays"
        )
    for place, row in enumerate(data):
        if not isinstance(row, list) or len(row) != shape[1]:
            raise RefusedError(f"expected an array of {shape[1]} {told}, found {shortly(row)} as row {place}")
    return list(chain.from_iterable(data))


def _array(datatype: str, values: list[Any], *, has_nulls: bool) -> Array:
    dtype = NUMPY[datatype]
    if dtype.kind == "O":
        return as_objects(values)
    if not has_nulls or dtype.kind == "f":
        return _numbers(datatype, values)
    array = as_objects(values)
    there = [value is not None for value in values]
    array[there] = _numbers(datatype, [value for value in values if value is not None]).tolist()
    return array


def _numbers(datatype: str, values: list[Any]) -> Array:
    """None becomes NaN. What a float can only hold as infinity is found later, where infinity is."""
    try:
        with np.errstate(over="ignore"):
            return np.array(values, NUMPY[datatype])
    except OverflowError:
        raise RefusedError(f"expected numbers within the range of {datatype}, found one beyond it") from None
