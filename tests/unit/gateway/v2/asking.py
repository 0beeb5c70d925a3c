"""Bodies as clients write them: JSON and binary, the reference client's own among them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput
from tritonclient.utils import np_to_triton_dtype

from ekiben_inference_gateway.http.v2.requests import Inference, decode

MOST_ROWS = 1_000


def tensor(name="distance", shape=(2,), datatype="FP64", **rest):
    """The head of an input."""
    return {"name": name, "shape": list(shape), "datatype": datatype, **rest}


def header(*inputs, **rest):
    return json.dumps({"inputs": list(inputs), **rest}).encode()


def binary(size, *args, **rest):
    """The head of an input that comes as binary."""
    return tensor(*args, parameters={"binary_data_size": size}, **rest)


def read(*inputs, behind=b"", **rest) -> Inference:
    """The request of JSON with binary data behind it."""
    head = header(*inputs, **rest)
    return decode(head + behind, str(len(head)) if behind else None, MOST_ROWS)


def by_triton(arrays: Mapping[str, np.ndarray], *, as_binary: bool) -> Inference:
    """What the reference client writes for these arrays, read."""
    inputs = []
    for name, array in arrays.items():
        one = InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
        inputs.append(one.set_data_from_numpy(array, binary_data=as_binary))
    body, length = InferenceServerClient.generate_request_body(inputs)
    return decode(body, None if length is None else str(length), MOST_ROWS)
