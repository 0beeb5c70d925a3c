"""An input tensor as a numpy array. Its size is what came: a shape that tells another is refused first."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from ekiben_inference_gateway.http.v2 import binary_data, json_data
from ekiben_inference_gateway.http.v2.bodies import HEADER_LENGTH, Binary
from ekiben_inference_gateway.http.v2.datatypes import NUMPY, Array
from ekiben_inference_gateway.http.v2.messages import Input
from ekiben_inference_gateway.http.v2.refused import RefusedError, dimensions, shortly


class Tensor(NamedTuple):
    """A tensor. `values` are flat, row by row; texts are `str`; what JSON had as null is None."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: Array


def read(head: Input, binary: Binary, most_rows: int) -> Tensor:
    """The tensor of an input.

    Raises:
        RefusedError: its shape, datatype and data do not agree, or it has too many rows.
    """
    try:
        return Tensor(head.name, head.datatype, tuple(head.shape), _values(head, binary, most_rows))
    except RefusedError as error:
        raise RefusedError(f"input {shortly(head.name)}: {error}") from None


def _values(head: Input, binary: Binary, most_rows: int) -> Array:
    datatype, size = head.datatype, head.parameters.binary_data_size
    if datatype not in NUMPY:
        raise RefusedError(f"expected a datatype of {', '.join(NUMPY)}, found {shortly(datatype)}")
    if len(head.shape) not in (1, 2) or not 1 <= head.shape[0] <= most_rows or min(head.shape) < 1:
        raise RefusedError(
            f"expected a shape [rows] or [rows, columns] with 1 to {most_rows} rows, found "
            f"{dimensions(head.shape)}. Send more rows in more requests"
        )
    count = prod(head.shape)
    if (size is None) == (head.data is None):
        found = "neither" if size is None else "both"
        raise RefusedError(f"expected data, or binary_data_size and {HEADER_LENGTH}, found {found}")
    told = f"by its shape {dimensions(head.shape)} and its datatype {datatype}"
    if size is not None:
        return binary_data.read(datatype, count, binary.take(size), told)
    return json_data.read(datatype, head.data or [], head.shape, told)
