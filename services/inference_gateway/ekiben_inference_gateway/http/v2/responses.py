"""The body of an answer: a JSON header, and behind it the tensors that are wanted as binary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from ekiben_inference_gateway.http.v2.binary_data import write
from ekiben_inference_gateway.http.v2.outputs import OutputTensor


class Encoded(NamedTuple):
    """A body, and the length of its header where binary data follow it."""

    body: bytes
    header_length: int | None


def encode(
    model: str, version: str | None, request_id: str | None, tensors: Sequence[tuple[OutputTensor, bool]]
) -> Encoded:
    """An answer; with each tensor, whether it is to be binary."""
    names = {"model_name": model, "model_version": version, "id": request_id}
    binary = [write(tensor.datatype, tensor.values) for tensor, as_binary in tensors if as_binary]
    sizes = iter(map(len, binary))
    outputs = [_head(tensor, next(sizes) if as_binary else None) for tensor, as_binary in tensors]
    told = {name: value for name, value in names.items() if value is not None}
    header = json.dumps({**told, "outputs": outputs}, separators=(",", ":"), allow_nan=False).encode()
    return Encoded(b"".join((header, *binary)), len(header) if binary else None)


def _head(tensor: OutputTensor, binary_size: int | None) -> dict[str, object]:
    """Python writes every float so that it is read as the same."""
    head: dict[str, object] = {
        "name": tensor.name,
        "datatype": tensor.datatype,
        "shape": list(tensor.shape),
    }
    parameters: dict[str, object] = {**tensor.parameters}
    if binary_size is None:
        head["data"] = tensor.values.tolist()
    else:
        parameters["binary_data_size"] = binary_size
    return {**head, "parameters": parameters} if parameters else head
