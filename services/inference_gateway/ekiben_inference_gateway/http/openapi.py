"""What the OpenAPI document says of the routes: the contracts' own models read bodies, not FastAPI."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from ekiben_contracts.event import Part
from ekiben_contracts.prediction import PredictionRequested
from ekiben_inference_gateway.http.bodies import JSON
from ekiben_inference_gateway.http.problems import PROBLEM_JSON, Problem, statuses

Schema = dict[str, Any]

_REFS: Final = "#/components/schemas/{model}"
_ROUTES_OWN: Final = ("attempt", "explain")
EXAMPLE: Final[Schema] = {
    "request_id": "r-1",
    "model": "flight-delay-trees",
    "entity_id": "UA-1545",
    "features": {
        "carrier": "UA",
        "origin": "EWR",
        "dest": "IAH",
        "hour": 5,
        "weekday": 1,
        "distance": 1400,
        "scheduled_minutes": 227,
    },
}
ONE: Final = "PredictionRequest"
BATCH: Final = "PredictionBatch"

_PROBLEMS_OF_ALL: Final = (500, 503)
_PROBLEMS_OF_BODIES: Final = (400, 408, 413, 415, 422)
_PROBLEMS_OF_CALLERS: Final = (401, 403, 429)


def problems(*, body: bool, asks_who: bool, other: Iterable[int] = ()) -> dict[int | str, Schema]:
    """The `responses` of a route that are problems, for FastAPI."""
    wanted = [*_PROBLEMS_OF_ALL, *other]
    wanted += _PROBLEMS_OF_BODIES if body else ()
    wanted += _PROBLEMS_OF_CALLERS if asks_who else ()
    codes = statuses()
    schema = {"$ref": _REFS.format(model=Problem.__name__)}
    return {
        status: {"description": ", ".join(codes[status]), "content": {PROBLEM_JSON: {"schema": schema}}}
        for status in sorted(set(wanted))
    }


def body(schema: str, example: Schema) -> Schema:
    """The `openapi_extra` of a route that reads a body."""
    content = {"schema": {"$ref": _REFS.format(model=schema)}, "example": example}
    return {"requestBody": {"required": True, "content": {JSON: content}}}


def document(api: FastAPI, *, asks_who: bool) -> Callable[[], Schema]:
    """What makes the document of an app, once."""

    def make() -> Schema:
        if api.openapi_schema is None:
            made = get_openapi(
                title=api.title,
                version=api.version,
                description=api.description,
                routes=api.routes,
            )
            components = made.setdefault("components", {})
            components.setdefault("schemas", {}).update(_schemas())
            if asks_who:
                components["securitySchemes"] = {
                    "bearer": {
                        "type": "http",
                        "scheme": "bearer",
                        "description": "An API key, or an OIDC token.",
                    },
                    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                }
            api.openapi_schema = made
        return api.openapi_schema

    return make


def _schemas() -> Schema:
    one = PredictionRequested.model_json_schema(ref_template=_REFS)
    one["properties"] = {name: said for name, said in one["properties"].items() if name not in _ROUTES_OWN}
    one["description"] = "Ask a single model about one entity."
    one["properties"]["request_id"]["description"] = (
        "Globally unique; using it again means the same request. Missing, one is drawn."
    )
    one["properties"]["requested_at"]["description"] = "Missing, it is now."
    batch = {
        "type": "object",
        "description": "What is no request in the array is answered with a problem in its place.",
        "required": ["requests"],
        "properties": {
            "requests": {
                "type": "array",
                "minItems": 1,
                "items": {"anyOf": [{"$ref": _REFS.format(model=ONE)}, {}]},
            }
        },
    }
    return {ONE: one, BATCH: batch, Problem.__name__: _schema(Problem)}


def _schema(part: type[Part]) -> Schema:
    return part.model_json_schema(ref_template=_REFS)
