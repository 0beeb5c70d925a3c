"""Connections held open for nothing keep nobody out."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack, asynccontextmanager, closing, suppress

import httpx
import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol

from unit.gateway.building import FakeRoutes, Gateway, model
from unit.gateway.http.facing import ASKED
from unit.gateway.http.test_face import Hanging, client_of, face

PREDICT = "/v1/predictions"
DEADLINE_S = 20
TIMEOUT_S = 0.2
HEAD = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n"


@pytest.fixture
def gateway():
    return Gateway(FakeRoutes.of(model("delay")))


@pytest.mark.parametrize("sent", [b"", HEAD], ids=["silent", "half a head"])
async def test_a_head_that_does_not_come_closes_its_connection(gateway, sent):
    async with face(gateway, body_timeout_s=TIMEOUT_S).lifespan() as found, asyncio.timeout(DEADLINE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", found.port)
        writer.write(sent)
        assert await reader.read() == b""
        writer.close()


async def test_half_a_head_behind_a_whole_request_closes_its_connection(gateway):
    async with face(gateway, body_timeout_s=TIMEOUT_S).lifespan() as found, asyncio.timeout(DEADLINE_S):
        reader, writer = await _answered_once(found.port)
        writer.write(HEAD)
        assert await reader.read() == b""
        writer.close()


async def test_a_model_may_take_longer_than_a_head_or_a_body(gateway):
    hanging = Hanging(gateway)
    async with face(gateway, body_timeout_s=TIMEOUT_S).lifespan() as found, asker_of(found) as asker:
        asking = asyncio.create_task(_ask(asker))
        async with asyncio.timeout(DEADLINE_S):
            await hanging.begun.wait()
        ended, _ = await asyncio.wait([asking], timeout=3 * TIMEOUT_S)
        assert ended == set()
        hanging.go.set()
        assert (await asking).status_code == 200
    assert hanging.asked == 1


async def test_whoever_takes_no_answer_loses_the_turn(gateway):
    limits = {"body_timeout_s": TIMEOUT_S, "requests_at_a_time": 1}
    async with (
        face(gateway, **limits).lifespan() as found,
        asker_of(found) as asker,
        asyncio.timeout(DEADLINE_S),
    ):
        with ExitStack() as taking_nothing:
            refused = False
            while not refused:  # on a busy machine one may have lost the turn before it was seen to have it
                taking_nothing.enter_context(closing(_takes_nothing(found.port)))
                refused = 503 in [(await _ask(asker)).status_code for _ in range(5)]
            while (await _ask(asker)).status_code != 200:
                await asyncio.sleep(0.01)


async def test_the_body_of_an_answer_does_not_wait_for_its_head_to_be_acknowledged(gateway, monkeypatch):
    accepted: list[socket.socket] = []
    made = H11Protocol.connection_made

    def connection_made(self, transport):
        accepted.append(transport.get_extra_info("socket"))
        made(self, transport)

    monkeypatch.setattr(H11Protocol, "connection_made", connection_made)
    async with face(gateway).lifespan() as found, client_of(found) as client:
        assert (await client.post(PREDICT, json=ASKED)).status_code == 200
        (connection,) = accepted
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@asynccontextmanager
async def asker_of(listening):
    """A client with a connection of its own for every question: a kept one may be closed at any time."""
    once = httpx.Limits(max_keepalive_connections=0)
    url = f"http://127.0.0.1:{listening.port}"
    async with httpx.AsyncClient(base_url=url, timeout=DEADLINE_S, limits=once) as client:
        yield client


async def _ask(asker: httpx.AsyncClient) -> httpx.Response:
    """Ask, again where a head or a body was late to a busy server."""
    while True:
        with suppress(httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            answer = await asker.post(PREDICT, json=ASKED)
            if answer.status_code != 408:
                return answer


async def _answered_once(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that had an answer."""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n")
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b'{"live":true}')
            return reader, writer
        writer.close()


def _takes_nothing(port: int) -> socket.socket:
    """One that asks much and reads nothing of the answers."""
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    found.connect(("127.0.0.1", port))
    found.setblocking(False)
    found.send((HEAD + b"\r\n") * 500)
    return found
