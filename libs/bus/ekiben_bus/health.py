"""/livez, /readyz and /metrics of a service, on loopback."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

Problems = Callable[[], Sequence[str]]


class HealthServer:
    """Alive means that the event loop turns; ready, that every part of the service has no problem to name."""

    def __init__(self, host: str, port: int, problems: Problems, registry: CollectorRegistry) -> None:
        self._host = host
        self._port = port
        self._problems = problems
        self._registry = registry
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Listen. Returns the port, which the system chose where it was 0."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/livez", self._livez),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._metrics),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        return self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _livez(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _readyz(self, _: web.Request) -> web.Response:
        problems = list(self._problems())
        return web.json_response(
            {"status": "not ready" if problems else "ready", "problems": problems},
            status=503 if problems else 200,
        )

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )
