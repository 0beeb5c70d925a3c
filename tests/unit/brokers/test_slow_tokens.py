"""A token endpoint that is slow, silent or away: it is not hammered, and a token that is valid serves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from ekiben_bus import token_endpoint
from ekiben_bus.errors import TokenError
from ekiben_bus.token_endpoint import ClientCredentialsTokens, Credentials

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Clock:
    """Moved by the test."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def endpoint(*answers: Answer) -> AsyncIterator[tuple[ClientCredentialsTokens, Clock, list[int]]]:
    """Gives these answers in order; in the list, how often it was asked."""
    left, asked, clock = iter(answers), [0], Clock()
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        asked[0] += 1
        await next(left)(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/token"
    try:
        yield ClientCredentialsTokens(Credentials(url, "users", SecretStr("s")), clock), clock, asked
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


async def sells(writer: asyncio.StreamWriter, padding: int = 0) -> None:
    body = json.dumps({"access_token": "one", "expires_in": 100, "padding": "x" * padding}).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:20])
    await writer.drain()
    await asyncio.sleep(0.05)  # the rest comes in a packet of its own
    writer.write(body[20:])
    await writer.drain()


async def sells_too_much(writer: asyncio.StreamWriter) -> None:
    await sells(writer, padding=1 << 21)


async def hangs(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def refuses(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}")
    await writer.drain()


async def test_an_answer_in_several_packets_is_read_to_its_end():
    async with endpoint(sells) as (tokens, _, _):
        assert await tokens.token() == "one"


async def test_an_answer_without_end_is_refused_as_one():
    async with endpoint(sells_too_much) as (tokens, _, _):
        with pytest.raises(TokenError, match="more than 1048576 bytes"):
            await tokens.token()


async def test_while_a_token_is_valid_an_endpoint_that_hangs_holds_up_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
):
    async with endpoint(sells, hangs) as (tokens, clock, asked):
        await tokens.token()
        clock.now += 90
        monkeypatch.setattr(token_endpoint, "_PATIENCE_S", 0.05)
        first = asyncio.create_task(tokens.token())
        await asyncio.sleep(0)
        others = asyncio.gather(*(tokens.token() for _ in range(4)))
        await asyncio.wait([first, asyncio.ensure_future(others)], return_when=asyncio.FIRST_COMPLETED)
        assert others.done()
        assert not first.done()
        assert await first == "one"
        assert asked == [2]


async def test_an_endpoint_that_refuses_us_is_asked_again_only_after_a_rest():
    async with endpoint(refuses, refuses, sells) as (tokens, clock, asked):
        for _ in range(3):
            with pytest.raises(TokenError, match="HTTP 401"):
                await tokens.token()
        assert asked == [1]
        clock.now += 1.5
        for _ in range(2):
            with pytest.raises(TokenError, match="HTTP 401"):
                await tokens.token()
        assert asked == [2]
        clock.now += 2.5
        assert await tokens.token() == "one"
