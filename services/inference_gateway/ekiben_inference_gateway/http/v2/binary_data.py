"""The elements of a tensor from its bytes: little-endian, texts behind their lengths of 4 bytes."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Final

import numpy as np

from ekiben_inference_gateway.http.v2.datatypes import NUMPY, Array
from ekiben_inference_gateway.http.v2.refused import RefusedError, shortly

_LENGTH: Final = Struct("<I")


def read(datatype: str, count: int, data: memoryview, told: str) -> Array:
    """Exactly `count` elements. Numbers are a read-only view of the data; `told` is by what they are so many.

    Raises:
        RefusedError: the data hold fewer or more, or are none of this datatype.
    """
    return _texts(count, data, told) if datatype == "BYTES" else _numbers(datatype, count, data, told)


def write(datatype: str, values: Array) -> bytes:
    """The bytes of a tensor."""
    if datatype != "BYTES":
        return values.astype(NUMPY[datatype], copy=False).tobytes()
    texts: list[bytes] = [text.encode() for text in values.tolist()]
    return b"".join(part for text in texts for part in (_LENGTH.pack(len(text)), text))


def as_objects(values: Sequence[object]) -> Array:
    """A flat array of Python's own objects."""
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _numbers(datatype: str, count: int, data: memoryview, told: str) -> Array:
    dtype = NUMPY[datatype]
    if len(data) != count * dtype.itemsize:
        raise RefusedError(f"expected {count * dtype.itemsize} bytes {told}, found {len(data)}")
    if datatype != "BOOL":
        return np.frombuffer(data, dtype)
    values = np.frombuffer(data, np.uint8)
    if (wrong := values > 1).any():
        raise RefusedError(f"expected bytes 0 and 1 for BOOL, found {values[wrong.argmax()]}")
    return values.view(np.bool_)


def _texts(count: int, data: memoryview, told: str) -> Array:
    if count * _LENGTH.size > len(data):
        raise RefusedError(f"expected at least {count * _LENGTH.size} bytes {told}, found {len(data)}")
    texts: list[str] = []
    end = 0
    for place in range(count):
        start = end + _LENGTH.size
        if start > len(data):
            raise RefusedError(f"expected {count} elements {told}, found data that end at element {place}")
        end = start + _LENGTH.unpack_from(data, end)[0]
        if end > len(data):
            raise RefusedError(
                f"expected {end - start} bytes at element {place}, as its length tells, found "
                f"{len(data) - start}"
            )
        texts.append(_text(place, data[start:end]))
    if end != len(data):
        raise RefusedError(f"expected {count} elements {told}, found {len(data) - end} bytes behind them")
    return as_objects(texts)


def _text(place: int, data: memoryview) -> str:
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError(
            f"expected UTF-8 at element {place}, found {shortly(bytes(data))}: {error.reason}"
        ) from None
