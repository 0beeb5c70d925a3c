"""A proxy before a model server that forwards every call, but for the fault that it is told to make."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, as far as the proxy changes it. Without a length it is that of the body."""

    status: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    length: int | None = None

    def with_type(self, content_type: bytes) -> Answer:
        others = tuple(header for header in self.headers if header[0] != b"content-type")
        return replace(self, headers=(*others, (b"content-type", content_type)))

    @property
    def raw(self) -> bytes:
        length = b"%d" % (len(self.body) if self.length is None else self.length)
        lines = [b"HTTP/1.1 " + self.status]
        lines += [name + b": " + value for name, value in (*self.headers, (b"content-length", length))]
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body


Fault = Callable[[Answer, asyncio.StreamWriter], Awaitable[None]]
"""What becomes of a model's answer on its way back."""


async def forward(answer: Answer, writer: asyncio.StreamWriter) -> None:
    """No fault."""
    writer.write(answer.raw)
    await writer.drain()


class FaultProxy:
    """Listens on one port, also again after `refuse`; `fault` is what it does to answers to /columns."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self.fault: Fault = forward
        self.calls = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Take no connection any more, and reset those there are."""
        if self._server is not None:
            self._server.close()
        for writer in self._open:
            reset(writer)
        await asyncio.sleep(0)

    async def heal(self) -> None:
        self.fault = forward
        if self._server is None or not self._server.is_serving():
            await self.listen()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(_length(head))
                answer = await self._ask(head, body)
                if head.startswith(b"POST /columns"):
                    self.calls += 1
                    await self.fault(answer, writer)
                else:
                    await forward(answer, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # one of the sides is done with it
        finally:
            self._open.discard(writer)
            writer.close()

    async def _ask(self, head: bytes, body: bytes) -> Answer:
        reader, writer = await asyncio.open_connection(self._upstream.hostname, self._upstream.port)
        try:
            line, _, rest = head.partition(b"\r\n")
            writer.write(line + b"\r\nconnection: close\r\n" + rest + body)
            status, *lines = (await reader.readuntil(b"\r\n\r\n")).strip().split(b"\r\n")
            headers = [tuple(part.strip() for part in line.lower().split(b":", 1)) for line in lines]
            kept = tuple((h[0], h[1]) for h in headers if h[0] == b"content-type")
            return Answer(status.partition(b" ")[2], kept, await reader.read())
        finally:
            writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection by RST, as a machine does that knows it no more."""
    found: socket.socket = writer.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


@asynccontextmanager
async def before(upstream: str) -> AsyncIterator[FaultProxy]:
    """A proxy before a server, listening."""
    proxy = FaultProxy(upstream)
    await proxy.listen()
    try:
        yield proxy
    finally:
        await proxy.refuse()
