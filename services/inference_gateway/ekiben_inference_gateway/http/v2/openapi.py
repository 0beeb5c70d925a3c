"""What the OpenAPI document says of the routes: bodies are read by this package, not by FastAPI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ekiben_inference_gateway.http.bodies import JSON
from ekiben_inference_gateway.http.links import Links, from_metadata
from ekiben_inference_gateway.http.problems import statuses
from ekiben_inference_gateway.http.v2 import schemas
from ekiben_inference_gateway.http.v2.bodies import BINARY, HEADER_LENGTH
from ekiben_inference_gateway.http.v2.schemas import Schema

_BYTES: Final[Schema] = {"schema": {"type": "string", "format": "binary"}}
_OF_CALLERS: Final = (401, 403, 429)
_OF_MODELS: Final = (400, 404)
_OF_BODIES: Final = (408, 413, 415, 422)
_OF_ALL: Final = (500, 503)


@dataclass(frozen=True)
class Said:
    """One route of the document: what it answers, and which problems it may have."""

    answer: Schema
    problems: tuple[int, ...] = ()
    is_open: bool = False
    method: str = "GET"
    not_ready: Schema | None = None
    also: Mapping[str, Schema] = field(default_factory=dict[str, Schema])
    reads: Mapping[str, Any] = field(default_factory=dict[str, Any])
    leads: Links = field(default_factory=Links)

    def responses(self, *, asks_who: bool) -> dict[int | str, Schema]:
        """By status, for FastAPI."""
        said: dict[int | str, Schema] = {
            200: {
                "description": "OK",
                "content": {**_json(self.answer), **self.also},
                **self.leads.get(200, {}),
            }
        }
        callers = _OF_CALLERS if asks_who and not self.is_open else ()
        for status in sorted({*self.problems, *callers, *_OF_ALL}):
            said[status] = {"description": ", ".join(statuses()[status]), "content": _json(schemas.ERROR)}
        if self.not_ready is not None:
            said[503] = {
                "description": "not ready",
                "content": _json({"anyOf": [self.not_ready, schemas.ERROR]}),
            }
        return said

    def extra(self, *, asks_who: bool) -> dict[str, Any]:
        """What it reads, and whether it asks who is asking."""
        security = {"security": [{"bearer": []}, {"key": []}]} if asks_who and not self.is_open else {}
        return {**self.reads, **security}


def _json(schema: Schema) -> Schema:
    return {JSON: {"schema": schema}}


SERVER: Final = Said(schemas.SERVER)
LIVE: Final = Said(schemas.LIVE, is_open=True)
READY: Final = Said(schemas.READY, is_open=True, not_ready=schemas.READY)
MODEL: Final = Said(schemas.MODEL, _OF_MODELS, leads=from_metadata())
MODEL_READY: Final = Said(schemas.MODEL_READY, _OF_MODELS, not_ready=schemas.MODEL_READY)
INFER: Final = Said(
    schemas.RESPONSE,
    (*_OF_MODELS, *_OF_BODIES),
    method="POST",
    also={BINARY: _BYTES},
    reads={
        "parameters": [
            {
                "name": HEADER_LENGTH,
                "in": "header",
                "description": "Bytes of the JSON where binary tensors follow it.",
                "schema": {"type": "integer", "minimum": 0},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": schemas.REQUEST, "example": schemas.EXAMPLE}, BINARY: _BYTES},
        },
    },
)
