"""uvicorn inside the event loop of the service: it has no signals of its own, and drains at the end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from math import ceil

import uvicorn
from starlette.types import ASGIApp

from ekiben_inference_gateway.http.connections import impatient


class ListenError(OSError):
    """Nothing can listen there. Mend EKIBEN_HTTP_HOST or EKIBEN_HTTP_PORT."""


@asynccontextmanager
async def serving(
    app: ASGIApp, host: str, port: int, *, connections: int, timeout_s: float, drain_s: float
) -> AsyncIterator[int]:
    """Answer until the end of the block, then finish what is under way. Gives the port.

    A connection is closed that brings no whole head, or takes nothing of its answer, for `timeout_s`.

    Raises:
        ListenError: the address is taken, or not of this machine.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        http=impatient(timeout_s),
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=connections,
        timeout_graceful_shutdown=ceil(drain_s),
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve([listener]))
    try:
        await _ready(server, task)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The service has its own handlers."""
        yield


async def _ready(server: _Server, task: asyncio.Task[None]) -> None:
    waiting = asyncio.create_task(server.ready.wait())
    await asyncio.wait([waiting, task], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        waiting.cancel()
        task.result()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ListenError(
            f"expected to listen on {host}, port {port} (EKIBEN_HTTP_HOST, EKIBEN_HTTP_PORT), found: {error}"
        ) from error
    # an answer's head and body are two writes: the second would wait 40 ms for the first to be
    # acknowledged. asyncio sees to that only where a socket names its protocol, which this one does not
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
