"""How many requests are under way at a time, and what is counted of them: around every route."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ekiben_inference_gateway.http.problems import TransportCode, come_again
from ekiben_inference_gateway.http.v2.problems import respond

_COMES_BACK_S = 1.0
_UNROUTED = "(none)"


class HttpMetrics:
    """Requests by route and status, in the registry of the service."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "ekiben_http_requests", "Requests over HTTP", ["route", "status"], registry=registry
        )
        self.seconds = Histogram(
            "ekiben_http_request_seconds",
            "From the head of a request to the end of its answer",
            ["route"],
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=registry,
        )
        self.under_way = Gauge("ekiben_http_requests_under_way", "Requests over HTTP now", registry=registry)


class Turnstile:
    """Lets so many requests through at a time; others are told to come again, before their body is read."""

    def __init__(self, app: ASGIApp, most: int, metrics: HttpMetrics) -> None:
        self._app = app
        self._most = most
        self._metrics = metrics
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._under_way >= self._most:
            self._metrics.requests.labels(_UNROUTED, "503").inc()
            detail = f"expected at most {self._most} requests at a time, found as many; ask again later"
            error = come_again(TransportCode.BUSY, detail, _COMES_BACK_S)
            await respond(scope["path"], error)(scope, receive, send)
            return
        await self._let_through(scope, receive, send)

    async def _let_through(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, status = perf_counter(), "500"

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        self._under_way += 1
        self._metrics.under_way.set(self._under_way)
        try:
            await self._app(scope, receive, watch)
        finally:
            self._under_way -= 1
            self._metrics.under_way.set(self._under_way)
            route = _path_of(scope)
            self._metrics.requests.labels(route, status).inc()
            self._metrics.seconds.labels(route).observe(perf_counter() - began)


def _path_of(scope: Scope) -> str:
    """The path as it was declared: a label must not grow with what users send."""
    route: Any = scope.get("route")
    return getattr(route, "path", _UNROUTED)
