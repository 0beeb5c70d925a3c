"""The HTTP face put together, and its life: it opens and warms the clients, answers, and drains."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from uuid import uuid4

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from structlog.stdlib import get_logger

from ekiben_inference_gateway.http.access.gate import build_gate
from ekiben_inference_gateway.http.api import build_api
from ekiben_inference_gateway.http.aside import Aside
from ekiben_inference_gateway.http.bodies import BodyLimits
from ekiben_inference_gateway.http.core import Core
from ekiben_inference_gateway.http.microbatches import LaneBounds
from ekiben_inference_gateway.http.predicting import Predictor
from ekiben_inference_gateway.http.publishing import AnswerEvents, Publish
from ekiben_inference_gateway.http.routes import RequestLimits, Routes
from ekiben_inference_gateway.http.scoring_predictor import Answer, ScoringPredictor
from ekiben_inference_gateway.http.server import serving
from ekiben_inference_gateway.http.settings import HttpSettings
from ekiben_inference_gateway.http.turnstile import HttpMetrics, Turnstile
from ekiben_inference_gateway.http.v2.routes import InferenceProtocol
from ekiben_inference_gateway.requests import Request

log = get_logger(__name__)

_WARM_WITHIN_S = 5.0


class Face:
    """One gateway over HTTP. `port` is known once it listens."""

    def __init__(
        self,
        settings: HttpSettings,
        core: Core,
        publish: Publish,
        registry: CollectorRegistry,
        is_ready: Callable[[], bool],
        ids: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        self.port: int | None = None
        self._settings = settings
        self._events = AnswerEvents(
            publish, settings.unpublished_answers, settings.drain_timeout_s, core.clock, registry
        )
        on_answer = self._events.offer if settings.publish_answers else _tell_nobody
        self._predictor: Predictor = ScoringPredictor(core, _bounds(settings), ids, on_answer)
        body = BodyLimits(settings.body_bytes, settings.body_timeout_s)
        limits = RequestLimits(body, settings.rows, settings.features)
        gate, aside = build_gate(settings, core.clock), Aside()
        routes = Routes(self._predictor, gate, limits, aside, ids)
        protocol = InferenceProtocol(self._predictor, gate, limits, aside, is_ready, ids)
        self.api = build_api(routes, protocol, settings.routes, self._warmed)
        self.app = Turnstile(self.api, settings.requests_at_a_time, HttpMetrics(registry))

    async def publish_answers(self) -> None:
        """Work for beside the answers: it never ends."""
        await self._events.run()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[Face]:
        """Listen until the end of the block; then answer who is waiting, and publish what was answered."""
        settings = self._settings
        assert settings.port is not None
        listening = partial(
            serving,
            connections=settings.connections,
            timeout_s=settings.body_timeout_s,
            drain_s=settings.drain_timeout_s,
        )
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._events.lifespan())
            await stack.enter_async_context(self.api.router.lifespan_context(self.api))
            self.port = await stack.enter_async_context(listening(self.app, settings.host, settings.port))
            log.info("answering over HTTP", url=f"http://{settings.host}:{self.port}/openapi.json")
            yield self

    @asynccontextmanager
    async def _warmed(self, _: FastAPI) -> AsyncIterator[None]:
        """Open every client before the first request, so that it finds a connection and a signature."""
        try:
            async with asyncio.timeout(_WARM_WITHIN_S):
                await asyncio.gather(*map(self._predictor.health, self._predictor.models().values()))
        except TimeoutError:
            log.warning("not every model answered while the gateway warmed up", within_s=_WARM_WITHIN_S)
        yield


def _bounds(settings: HttpSettings) -> LaneBounds:
    return LaneBounds(
        settings.rows_per_batch,
        settings.batches_at_a_time,
        settings.waiting_rows,
        settings.waiting_requests,
    )


def _tell_nobody(request: Request, answer: Answer) -> None:
    """Answers over HTTP stay between the two."""
    del request, answer
