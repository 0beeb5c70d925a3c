"""Lost connections have their right names, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from ekiben_contracts.models import DType, FeatureSpec
from ekiben_serving.errors import (
    ModelTimeoutError,
    ModelTransientError,
    ModelUnavailableError,
)
from ekiben_serving.http_client import HTTPModelClient
from ekiben_serving.transport import PooledTransport
from unit.serving.frozen_clock import FrozenClock

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(answer: Answer) -> AsyncIterator[str]:
    """A server that does with each connection as told."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def _break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
    writer.close()


async def _reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
    await writer.drain()
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()


async def _break_a_chunk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\nhalf")
    writer.close()


async def _keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def _get(url: str) -> bytes:
    async with httpx.AsyncClient(transport=PooledTransport()) as http:
        return (await http.get(url, timeout=0.3)).content


async def test_a_refused_connection_is_a_connect_error() -> None:
    async with listening(_hang_up) as url:
        pass

    with pytest.raises(httpx.ConnectError):
        await _get(url)


async def test_a_server_that_goes_before_it_answers_is_a_protocol_error() -> None:
    async with listening(_hang_up) as url:
        with pytest.raises(httpx.RemoteProtocolError):
            await _get(url)


async def test_a_server_that_goes_in_the_middle_of_its_answer_is_a_read_error() -> None:
    async with listening(_break_off) as url:
        with pytest.raises(httpx.ReadError):
            await _get(url)


async def test_a_server_that_keeps_silent_is_a_timeout() -> None:
    async with listening(_keep_silent) as url:
        with pytest.raises(httpx.TimeoutException):
            await _get(url)


def _client(url: str, clock: FrozenClock) -> HTTPModelClient:
    signature = [FeatureSpec(name="x", dtype=DType.DOUBLE)]
    return HTTPModelClient("m", url, timeout=0.3, signature=signature, clock=clock)


async def test_a_connection_lost_before_any_answer_is_tried_again() -> None:
    clock = FrozenClock()
    async with listening(_hang_up) as url:
        client = _client(url, clock)
        with pytest.raises(ModelUnavailableError, match="the connection failed"):
            await client.predict_batch([{"x": 1.0}])
        await client.close()

    assert len(clock.slept) == 3


@pytest.mark.parametrize("answer", [_break_off, _reset, _break_a_chunk])
async def test_an_answer_that_is_cut_off_is_told_at_once(answer: Answer) -> None:
    clock = FrozenClock()
    async with listening(answer) as url:
        client = _client(url, clock)
        with pytest.raises(ModelTransientError, match="found it cut off after"):
            await client.predict_batch([{"x": 1.0}])
        await client.close()

    assert clock.slept == []


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a" * 10_000,
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nlonger than that",
    ],
)
async def test_what_is_no_http_is_told_at_once(said: bytes) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()

    async with listening(say) as url:
        client = _client(url, FrozenClock())
        with pytest.raises(ModelTransientError, match="in HTTP, found"):
            await client.predict_batch([{"x": 1.0}])
        await client.close()


async def test_a_silent_endpoint_is_a_timeout_and_is_not_tried_again() -> None:
    clock = FrozenClock()
    async with listening(_keep_silent) as url:
        client = _client(url, clock)
        with pytest.raises(ModelTimeoutError, match=r"within 0\.3 s, found none"):
            await client.predict_batch([{"x": 1.0}])
        await client.close()

    assert clock.slept == []
