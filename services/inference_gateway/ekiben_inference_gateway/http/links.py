"""How one answer leads to the next request: the links of the OpenAPI document, by which it can be walked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ekiben_inference_gateway.http.settings import Route

Links = dict[int | str, dict[str, Any]]

_OF_MODEL: Final = (Route.HEALTH.value, "v2_model", "v2_model_ready", "v2_infer")
_OF_VERSION: Final = ("v2_model_of_version", "v2_model_ready_of_version", "v2_infer_of_version")


def from_models(on: frozenset[Route]) -> Links:
    """From the list of models to the first of them."""
    return _links(on, model="/models/0/name", version="/models/0/versions/0/version")


def from_prediction(on: frozenset[Route]) -> Links:
    """From an answer to the model that gave it."""
    return _links(on, model="/model", version="/version")


def from_metadata() -> Links:
    """From the tensors of a model to asking it. These are all of the protocol."""
    return _links(frozenset({Route.INFERENCE_PROTOCOL}), model="/name", version="/versions/0")


def _links(on: frozenset[Route], *, model: str, version: str) -> Links:
    """To whatever is on. `model` and `version` are where the answer has their names."""
    of_model = {"model": f"$response.body#{model}"}
    of_version = {**of_model, "version": f"$response.body#{version}"}
    leads: dict[str, Mapping[str, str]] = {
        **dict.fromkeys(_OF_MODEL, of_model),
        **dict.fromkeys(_OF_VERSION, of_version),
    }
    links = {
        operation: {"operationId": operation, "parameters": dict(parameters)}
        for operation, parameters in leads.items()
        if _is_on(operation, on)
    }
    return {200: {"links": links}} if links else {}


def _is_on(operation: str, on: frozenset[Route]) -> bool:
    return (Route.INFERENCE_PROTOCOL if operation.startswith("v2_") else Route(operation)) in on
