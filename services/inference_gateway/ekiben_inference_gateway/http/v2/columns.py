"""One column of rows: a tensor's array as Python's own values."""

from __future__ import annotations

import numpy as np

from ekiben_inference_gateway.http.v2.datatypes import Array
from ekiben_inference_gateway.http.v2.refused import RefusedError, dimensions, shortly
from ekiben_inference_gateway.http.v2.tensors import Tensor
from ekiben_serving.specs import FeatureValue


def values_of(name: str, values: Array) -> list[FeatureValue]:
    """Python's own values. NaN is null, as everywhere among numbers; infinity is nothing."""
    found: list[FeatureValue] = values.tolist()
    if values.dtype.kind != "f":
        return found
    missing = np.isnan(values)
    if (endless := np.isinf(values)).any():
        row = int(endless.argmax())
        raise RefusedError(
            f"input {shortly(name)}: expected finite numbers, and NaN for what is unknown, found "
            f"{found[row]} in row {row}"
        )
    return (
        [None if null else value for value, null in zip(found, missing, strict=True)]
        if missing.any()
        else found
    )


def texts_of(tensor: Tensor) -> list[str]:
    """Who or which each row is: texts, none of them empty."""
    refuse_wide(tensor)
    texts = tensor.values.tolist()
    if tensor.datatype != "BYTES" or not all(texts):
        raise RefusedError(
            f"input {shortly(tensor.name)}: expected a text of BYTES for each row, found "
            f"{'an empty one' if tensor.datatype == 'BYTES' else tensor.datatype}"
        )
    return texts


def refuse_wide(tensor: Tensor) -> None:
    """Refuse a tensor of several columns where one is expected."""
    if len(tensor.shape) > 1 and tensor.shape[1] != 1:
        raise RefusedError(
            f"input {shortly(tensor.name)}: expected a shape [rows] or [rows, 1], found "
            f"{dimensions(list(tensor.shape))}. One input of all columns takes a model of numbers alone, and "
            "a name of its own"
        )
