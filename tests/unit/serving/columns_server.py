"""A model server of one column on a real socket, that can be held, told to refuse, and counts its calls."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
from aiohttp import web

from ekiben_contracts.models import DType, FeatureSpec
from ekiben_serving.columnar import (
    ANSWER_TYPE,
    EXPLANATION_TYPE,
    Answer,
    Explained,
    decode_columns,
    encode_answer,
    encode_explanation,
)
from ekiben_serving.columnar.explanation import BUDGET_HEADER

SIGNATURE = [FeatureSpec(name="x", dtype=DType.DOUBLE)]


def doubled(body: bytes, model: str = "delay", version: str = "3") -> bytes:
    """The answer of a model that doubles x."""
    return encode_answer(Answer(model, version, np.asarray(decode_columns(body)["x"].values, float) * 2))


def doubled_explained(body: bytes, model: str = "delay", version: str = "3") -> bytes:
    """What moved its answers: all that x adds beyond an expected 1."""
    values = np.asarray(decode_columns(body)["x"].values, float) * 2
    return encode_explanation(
        Explained(model, version, ["x"], values, np.ones_like(values), values[:, None] - 1)
    )


def closed_port() -> str:
    """A URL at which nobody answers."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{found.getsockname()[1]}"


@dataclass
class ColumnsServer:
    """Answers 2x to x while its `gate` is open; with a `refusal` it answers that status."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    refusal: int | None = None
    explains: bool = True
    budgets_ms: list[float] = field(default_factory=list)
    calls: int = 0
    under_way: int = 0
    most_under_way: int = 0
    url: str = ""

    async def columns(self, request: web.Request) -> web.Response:
        return await self._answer(await request.read(), doubled, ANSWER_TYPE)

    async def explain_columns(self, request: web.Request) -> web.Response:
        if not self.explains:
            return web.Response(status=404, text="no explainer here")
        self.budgets_ms.append(float(request.headers[BUDGET_HEADER]))
        return await self._answer(await request.read(), doubled_explained, EXPLANATION_TYPE)

    async def _answer(self, body: bytes, answer: Callable[[bytes], bytes], content_type: str) -> web.Response:
        self.calls += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.gate.wait()
        finally:
            self.under_way -= 1
        if self.refusal is not None:
            return web.Response(status=self.refusal)
        return web.Response(body=answer(body), content_type=content_type)

    async def predict(self, request: web.Request) -> web.Response:
        """The same as an API of somebody's own."""
        rows = (await request.json())["rows"]
        return web.json_response([row["x"] * 2 for row in rows])

    async def describe(self, _: web.Request) -> web.Response:
        signature = [spec.model_dump(mode="json") for spec in SIGNATURE]
        return web.json_response(
            {"model": "delay", "version": "3", "problem_type": "regression", "signature": signature}
        )

    async def ready(self, _: web.Request) -> web.Response:
        return web.Response(text="")


@asynccontextmanager
async def serving() -> AsyncIterator[ColumnsServer]:
    """One on a free port; its gate is open."""
    server = ColumnsServer()
    server.gate.set()
    app = web.Application()
    app.add_routes(
        [
            web.post("/columns", server.columns),
            web.post("/explain_columns", server.explain_columns),
            web.post("/predict", server.predict),
            web.get("/model_info", server.describe),
            web.get("/readyz", server.ready),
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        server.gate.set()
        await runner.cleanup()
