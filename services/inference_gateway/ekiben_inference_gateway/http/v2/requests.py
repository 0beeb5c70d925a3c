"""A whole inference request: from the bytes of its body to tensors."""

from __future__ import annotations

from math import prod
from typing import Final, NamedTuple

from ekiben_inference_gateway.http.v2 import messages, tensors
from ekiben_inference_gateway.http.v2.bodies import split
from ekiben_inference_gateway.http.v2.messages import WantedOutput
from ekiben_inference_gateway.http.v2.refused import RefusedError, shortly
from ekiben_inference_gateway.http.v2.tensors import Tensor

MOST_ELEMENTS: Final = 4_000_000
"""Of all inputs together: a byte of a body becomes an object many times its size."""


class Inference(NamedTuple):
    """What is asked: tensors, and which outputs are wanted and how."""

    id: str | None
    tensors: list[Tensor]
    outputs: list[WantedOutput]
    binary_output: bool


def decode(body: bytes, header_length: str | None, most_rows: int) -> Inference:
    """The request in a body; `header_length` is the header's value as it came.

    Raises:
        RefusedError: it is none, or lies about what it holds.
    """
    header, binary = split(body, header_length)
    request = messages.read(header)
    if (told := sum(abs(prod(head.shape)) for head in request.inputs)) > MOST_ELEMENTS:
        raise RefusedError(
            f"expected at most {MOST_ELEMENTS} elements in all inputs, found shapes of {shortly(told)}. "
            "Send fewer rows in more requests"
        )
    read = [tensors.read(head, binary, most_rows) for head in request.inputs]
    binary.finish()
    return Inference(request.id, read, request.outputs, request.parameters.binary_data_output)
