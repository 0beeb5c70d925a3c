"""The JSON schemas of the protocol's bodies, for the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from ekiben_inference_gateway.http import openapi
from ekiben_inference_gateway.http.v2.datatypes import NUMPY
from ekiben_inference_gateway.http.v2.messages import LONGEST_TEXT

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}
_SHAPE: Final[Schema] = {"type": "array", "items": {"type": "integer"}}
_DATATYPE: Final[Schema] = {"type": "string", "enum": list(NUMPY)}
_DATA: Final[Schema] = {
    "type": "array",
    "description": "Row by row, nested as the shape tells or flat; null is what is unknown.",
}


def _object(required: tuple[str, ...], **properties: Schema) -> Schema:
    return {"type": "object", "required": list(required), "properties": properties}


_BINARY_SIZE: Final = _object((), binary_data_size={"type": "integer", "minimum": 0})
_INPUT: Final = _object(
    ("name", "shape", "datatype"),
    name=_TEXT,
    shape={**_SHAPE, "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 2},
    datatype=_DATATYPE,
    parameters=_BINARY_SIZE,
    data=_DATA,
)
_WANTED: Final = _object(("name",), name=_TEXT, parameters=_object((), binary_data={"type": "boolean"}))
REQUEST: Final = _object(
    ("inputs",),
    id={"type": "string", "maxLength": LONGEST_TEXT, "description": "Comes back with the answer."},
    parameters=_object((), binary_data_output={"type": "boolean"}),
    inputs={"type": "array", "items": _INPUT, "minItems": 1},
    outputs={"type": "array", "items": _WANTED},
)
EXAMPLE: Final[Schema] = {
    "id": "42",
    "inputs": [
        {
            "name": name,
            "shape": [1],
            "datatype": "BYTES" if isinstance(value, str) else "INT64",
            "data": [value],
        }
        for name, value in openapi.EXAMPLE["features"].items()
    ],
}
_ANSWERED: Final = _object(
    ("name", "shape", "datatype"),
    name=_TEXT,
    shape=_SHAPE,
    datatype=_DATATYPE,
    parameters={"type": "object"},
    data={"type": "array"},
)
RESPONSE: Final = _object(
    ("model_name", "outputs"),
    model_name=_TEXT,
    model_version=_TEXT,
    id={"type": "string"},
    outputs={"type": "array", "items": _ANSWERED},
)
_TENSOR: Final = _object(("name", "shape", "datatype"), name=_TEXT, shape=_SHAPE, datatype=_DATATYPE)
_TENSORS: Final[Schema] = {"type": "array", "items": _TENSOR}
_TEXTS: Final[Schema] = {"type": "array", "items": {"type": "string"}}
_TRUTH: Final[Schema] = {"type": "boolean"}
ERROR: Final = _object(("error",), error={"type": "string"}, code={"type": "string"})
MODEL: Final = _object(
    ("name", "versions", "platform", "inputs", "outputs"),
    name=_TEXT,
    versions=_TEXTS,
    platform=_TEXT,
    inputs=_TENSORS,
    outputs=_TENSORS,
    properties={"type": "object", "additionalProperties": {"type": "string"}},
)


SERVER: Final = _object(("name", "version", "extensions"), name=_TEXT, version=_TEXT, extensions=_TEXTS)
LIVE: Final = _object(("live",), live=_TRUTH)
READY: Final = _object(("ready", "live"), ready=_TRUTH, live=_TRUTH)
MODEL_READY: Final = _object(("name", "ready"), name=_TEXT, ready=_TRUTH, error={"type": "string"})
