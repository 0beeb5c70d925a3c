"""The routes of the protocol, over the port that every HTTP route stands on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ekiben_contracts.access import Scope
from ekiben_inference_gateway.http.access.gate import Gate
from ekiben_inference_gateway.http.aside import Aside
from ekiben_inference_gateway.http.bodies import JSON, read
from ekiben_inference_gateway.http.predicting import BusyError, Predictor, ServedModel
from ekiben_inference_gateway.http.problems import ProblemError, TransportCode, busy, refused
from ekiben_inference_gateway.http.routes import ModelName, RequestLimits
from ekiben_inference_gateway.http.v2 import openapi, problems
from ekiben_inference_gateway.http.v2.bodies import BINARY, HEADER_LENGTH
from ekiben_inference_gateway.http.v2.compression import inflate
from ekiben_inference_gateway.http.v2.inferring import infer, read_rows, requests_of
from ekiben_inference_gateway.http.v2.metadata import model_metadata, server_metadata
from ekiben_inference_gateway.http.v2.openapi import Said
from ekiben_inference_gateway.http.v2.refused import RefusedError, shortly
from ekiben_inference_gateway.http.v2.requests import Inference, decode
from ekiben_inference_gateway.http.v2.rows import Rows
from ekiben_inference_gateway.refusals import Refusal


@dataclass(frozen=True, slots=True)
class InferenceProtocol:
    """The handlers of the protocol. `ids` names what rows are about that name no entity."""

    predictor: Predictor
    gate: Gate
    limits: RequestLimits
    aside: Aside
    is_ready: Callable[[], bool]
    ids: Callable[[], str]

    async def server(self, request: Request) -> Response:
        """Who answers, and which extensions it speaks."""
        await self.gate.admit(request, Scope.PREDICT)
        return JSONResponse(server_metadata())

    async def live(self) -> Response:
        """It answers, so it lives."""
        return JSONResponse({"live": True})

    async def ready(self) -> Response:
        """Whether this gateway serves. A sick model makes itself unready alone: see the model's own route."""
        ready = self.is_ready()
        return JSONResponse({"ready": ready, "live": True}, 200 if ready else 503)

    async def model(self, request: Request, model: ModelName, version: str | None = None) -> Response:
        """The tensors of a model."""
        await self.gate.admit(request, Scope.PREDICT)
        return JSONResponse(model_metadata(await self._find(model, version)))

    async def model_ready(self, request: Request, model: ModelName, version: str | None = None) -> Response:
        """Whether every version answers that a row may be drawn to, asked now. It tells no addresses."""
        await self.gate.admit(request, Scope.PREDICT)
        health = await self.predictor.health(await self._find(model, version))
        away = [where.version for where, one in health.items() if not one.ready]
        if not away:
            return JSONResponse({"name": model, "ready": True})
        told = f"expected every version of {model} to answer, found {', '.join(away)} away; ask again later"
        return JSONResponse({"name": model, "ready": False, "error": told}, 503)

    async def infer(self, request: Request, model: ModelName, version: str | None = None) -> Response:
        """Every row's answer, or what is wrong with the request."""
        caller = await self.gate.admit(request, Scope.PREDICT)
        found = await self._find(model, version)
        body = await self._body(request)
        try:
            reading = partial(self._read, body, request.headers.get(HEADER_LENGTH), found)
            asked, rows = await self.aside.read(len(body), reading)
            self.gate.count_more(caller, len(rows.features))
            asking = partial(requests_of, rows, model, asked.id or self.ids())
            requests = await self.aside.read(len(body), asking)
            names_entity = rows.entity_ids is not None
            encoded = await infer(asked, requests, found, version, self.predictor, names_entity=names_entity)
        except RefusedError as error:
            raise problems.invalid(error) from None
        except BusyError as error:
            raise busy(error) from None
        if encoded.header_length is None:
            return Response(encoded.body, media_type=JSON)
        return Response(encoded.body, 200, {HEADER_LENGTH: str(encoded.header_length)}, BINARY)

    def _read(self, body: bytes, header_length: str | None, model: ServedModel) -> tuple[Inference, Rows]:
        asked = decode(body, header_length, self.limits.rows)
        return asked, read_rows(asked, model, self.limits.features)

    async def _find(self, model: str, version: str | None) -> ServedModel:
        found = await self.predictor.find(model, version)
        if isinstance(found, Refusal):
            raise refused(found)
        return found

    async def _body(self, request: Request) -> bytes:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        # tritonclient says no type; a page in a browser that says none is asked for by no preflight
        untold = media_type == "" and "origin" not in request.headers
        if not untold and media_type not in (JSON, BINARY):
            raise ProblemError(
                TransportCode.UNSUPPORTED_MEDIA_TYPE,
                f"expected content-type {JSON}, or {BINARY} with {HEADER_LENGTH}, "
                f"found {shortly(media_type)}",
            )
        body = await read(request, self.limits.body)
        encoding = request.headers.get("content-encoding", "").strip().lower()
        try:
            return inflate(body, encoding, self.limits.body.most_bytes)
        except RefusedError as error:
            raise problems.invalid(error) from None


def router(protocol: InferenceProtocol) -> APIRouter:
    """Every route of the protocol."""
    routes = APIRouter()
    asks_who = not protocol.gate.is_open

    def add(path: str, handler: Callable[..., Any], said: Said, of: str = "") -> None:
        routes.add_api_route(
            path,
            handler,
            methods=[said.method],
            responses=said.responses(asks_who=asks_who),
            openapi_extra=said.extra(asks_who=asks_who),
            operation_id=f"v2_{handler.__name__}{of}",
        )

    add("/v2", protocol.server, openapi.SERVER)
    routes.add_api_route("/v2/", protocol.server, include_in_schema=False)
    add("/v2/health/live", protocol.live, openapi.LIVE)
    add("/v2/health/ready", protocol.ready, openapi.READY)
    for path, of in (("/v2/models/{model}", ""), ("/v2/models/{model}/versions/{version}", "_of_version")):
        add(path, protocol.model, openapi.MODEL, of)
        add(f"{path}/ready", protocol.model_ready, openapi.MODEL_READY, of)
        add(f"{path}/infer", protocol.infer, openapi.INFER, of)
    return routes
