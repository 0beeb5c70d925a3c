"""The JSON header of an inference request, its types checked. What is in a tensor's data is not, yet."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ekiben_contracts.wording import describe
from ekiben_inference_gateway.http.v2.refused import RefusedError, shortly

MOST_INPUTS: Final = 4_096
MOST_OUTPUTS: Final = 64
LONGEST_TEXT: Final = 256


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class InputParameters(_Message):
    """How an input comes."""

    binary_data_size: int | None = Field(default=None, ge=0)
    shared_memory_region: str | None = None


class Input(_Message):
    """An input tensor. `data` is whatever array JSON had; None: it comes as binary."""

    name: str = Field(min_length=1, max_length=LONGEST_TEXT)
    shape: list[int] = Field(max_length=16)
    datatype: str
    parameters: InputParameters = InputParameters()
    data: list[Any] | None = None


class OutputParameters(_Message):
    """How an output is wanted."""

    binary_data: bool | None = None
    classification: int | None = None
    shared_memory_region: str | None = None


class WantedOutput(_Message):
    """An output that the client asks for."""

    name: str = Field(min_length=1, max_length=LONGEST_TEXT)
    parameters: OutputParameters = OutputParameters()


class RequestParameters(_Message):
    """What holds for the whole request."""

    binary_data_output: bool = False


class InferRequest(_Message):
    """An inference request. No outputs named: all are wanted."""

    id: str | None = Field(default=None, max_length=LONGEST_TEXT)
    parameters: RequestParameters = RequestParameters()
    inputs: list[Input] = Field(min_length=1, max_length=MOST_INPUTS)
    outputs: list[WantedOutput] = Field(default_factory=list[WantedOutput], max_length=MOST_OUTPUTS)


def read(header: bytes) -> InferRequest:
    """The request in a JSON header. NaN, which the reference client writes, is read as a number.

    Raises:
        RefusedError: it is no JSON, a field is wrong, or it asks for what only one host can do.
    """
    try:
        request = InferRequest.model_validate_json(header)
    except ValidationError as error:
        (first, *_) = error.errors(include_url=False, include_input=False)
        if first["type"] == "json_invalid":
            raise RefusedError(
                f"expected a JSON object, found {first['msg']}. Was the body cut off?"
            ) from None
        raise RefusedError(describe(error, {"data"})) from None
    _refuse_shared_memory(request)
    return request


def _refuse_shared_memory(request: InferRequest) -> None:
    for one in (*request.inputs, *request.outputs):
        if one.parameters.shared_memory_region is not None:
            raise RefusedError(
                f"{shortly(one.name)}: expected a tensor in the body, found a shared_memory_region, which "
                "this server does not share; send data, or binary_data_size"
            )
