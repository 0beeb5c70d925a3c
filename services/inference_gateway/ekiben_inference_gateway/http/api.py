"""The ASGI app: which routes there are, and that everything that goes wrong is a problem."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, request_response

from ekiben_contracts.prediction import FailureCode
from ekiben_inference_gateway.http import links, openapi
from ekiben_inference_gateway.http.documents import BatchAnswers, Explanation, ModelHealth, Models, Prediction
from ekiben_inference_gateway.http.problems import ProblemError, TransportCode
from ekiben_inference_gateway.http.routes import Routes
from ekiben_inference_gateway.http.settings import Route
from ekiben_inference_gateway.http.v2.problems import respond
from ekiben_inference_gateway.http.v2.routes import InferenceProtocol, router

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

_OF_STATUS: Final = {404: TransportCode.NOT_FOUND, 405: TransportCode.METHOD_NOT_ALLOWED}
_DESCRIPTION: Final = (
    "Ask single models over HTTP. Ensembles, intervals and requests that may wait are the bus's."
)


def build_api(
    routes: Routes, protocol: InferenceProtocol, on: frozenset[Route], lifespan: Lifespan
) -> FastAPI:
    """The app, with the routes that are switched on."""
    asks_who = not routes.gate.is_open
    api = FastAPI(
        title="Ekiben inference gateway",
        version=version("ekiben-inference-gateway"),
        description=_DESCRIPTION,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,  # these pages load their scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    _add(api, routes, on, asks_who=asks_who)
    if Route.INFERENCE_PROTOCOL in on:
        api.include_router(router(protocol))
    document = openapi.document(api, asks_who=asks_who)
    api.openapi = document
    if Route.OPENAPI in on:

        async def tell(_: Request) -> Response:
            return JSONResponse(document())

        api.add_route("/openapi.json", tell, include_in_schema=False)
    api.add_exception_handler(ProblemError, _problem)
    api.add_exception_handler(HTTPException, _http_exception)
    api.add_exception_handler(Exception, _bug)
    return api


def _add(api: FastAPI, routes: Routes, on: frozenset[Route], *, asks_who: bool) -> None:
    security = {"security": [{"bearer": []}, {"key": []}]} if asks_who else {}

    def add(
        route: Route, method: str, path: str, endpoint: Callable[..., Any], answer: type, **said: Any
    ) -> None:
        if route in on:
            reads, leads = said.pop("reads", {}), said.pop("leads", {})
            api.add_api_route(
                path,
                endpoint,
                methods=[method],
                response_model=answer,
                responses={**openapi.problems(body=bool(reads), asks_who=asks_who, **said), **leads},
                openapi_extra={**reads, **security},
                operation_id=route.value,
            )
            if endpoint in lean:
                _skip_fastapi(api.router.routes[-1], endpoint)

    lean = (routes.predict, routes.predict_batch)
    one = openapi.body(openapi.ONE, openapi.EXAMPLE)
    many = openapi.body(openapi.BATCH, {"requests": [openapi.EXAMPLE]})
    told = {"reads": one, "other": [404], "leads": links.from_prediction(on)}
    add(Route.PREDICTIONS, "POST", "/v1/predictions", routes.predict, Prediction, **told)
    add(Route.BATCHES, "POST", "/v1/predictions:batch", routes.predict_batch, BatchAnswers, reads=many)
    add(Route.EXPLANATIONS, "POST", "/v1/explanations", routes.explain, Explanation, **told)
    add(Route.MODELS, "GET", "/v1/models", routes.models, Models, leads=links.from_models(on))
    add(Route.HEALTH, "GET", "/v1/models/{model}/health", routes.health, ModelHealth, other=[400, 404, 422])


def _skip_fastapi(route: BaseRoute, endpoint: Callable[[Request], Awaitable[Response]]) -> None:
    """FastAPI documents the route; what it does for each request costs a tenth of it, and is no use here."""
    assert isinstance(route, APIRoute)
    route.app = request_response(endpoint)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return respond(request.url.path, error)


async def _http_exception(request: Request, error: Exception) -> Response:
    """Starlette's own: no such path, or not by this method."""
    assert isinstance(error, HTTPException)
    code = _OF_STATUS.get(error.status_code, FailureCode.INVALID_REQUEST)
    detail = f"expected a route of /openapi.json, found {request.method} {request.url.path[:200]}"
    return respond(request.url.path, ProblemError(code, detail, headers=dict(error.headers or {})))


async def _bug(request: Request, error: Exception) -> Response:
    """Its stack is in the log; whoever asked is told no more than its class."""
    detail = f"the gateway failed on this request ({type(error).__name__}); its log says more"
    return respond(request.url.path, ProblemError(FailureCode.INTERNAL, detail))
