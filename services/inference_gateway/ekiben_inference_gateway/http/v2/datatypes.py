"""The datatypes of tensors, and which of them a feature takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ekiben_contracts.models import DType

Array = npt.NDArray[Any]

NUMPY: Final[Mapping[str, np.dtype[Any]]] = {
    "BOOL": np.dtype("|b1"),
    "UINT8": np.dtype("|u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("|i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "BYTES": np.dtype(object),
}
"""By the names of the protocol; little-endian, as the binary extension writes them."""

OF_FEATURE: Final[Mapping[DType, str]] = {
    DType.BOOLEAN: "BOOL",
    DType.INTEGER: "INT32",
    DType.LONG: "INT64",
    DType.FLOAT: "FP32",
    DType.DOUBLE: "FP64",
    DType.STRING: "BYTES",
}
"""What the metadata tell of a feature."""

_NOT_NUMBERS: Final = ("BOOL", "BYTES")


def is_number(datatype: str) -> bool:
    """Whether its elements are numbers: true and false are none."""
    return datatype not in _NOT_NUMBERS


def takes(dtype: DType, datatype: str) -> bool:
    """Whether a feature may come in a tensor of this datatype: a number in any that holds numbers."""
    told = OF_FEATURE[dtype]
    return is_number(datatype) if is_number(told) else datatype == told
