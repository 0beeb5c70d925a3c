"""Connections held open for nothing keep nobody out."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing

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
        reader, writer = await asyncio.open_connection("127.0.0.1", found.port)
        writer.write(b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.readuntil(b'{"live":true}')
        writer.write(HEAD)
        assert await reader.read() == b""
        writer.close()


async def test_a_model_may_take_longer_than_a_head_or_a_body(gateway):
    hanging = Hanging(gateway)
    async with face(gateway, body_timeout_s=TIMEOUT_S).lifespan() as found, client_of(found) as client:
        asking = asyncio.create_task(client.post(PREDICT, json=ASKED))
        await hanging.begun.wait()
        ended, _ = await asyncio.wait([asking], timeout=3 * TIMEOUT_S)
        assert ended == set()
        hanging.go.set()
        assert (await asking).status_code == 200


async def test_whoever_takes_no_answer_loses_the_turn(gateway):
    limits = {"body_timeout_s": TIMEOUT_S, "requests_at_a_time": 1}
    async with (
        face(gateway, **limits).lifespan() as found,
        client_of(found) as client,
        asyncio.timeout(DEADLINE_S),
    ):
        with closing(socket.socket()) as taking_nothing:
            taking_nothing.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            taking_nothing.connect(("127.0.0.1", found.port))
            taking_nothing.setblocking(False)
            taking_nothing.send((HEAD + b"\r\n") * 500)
            await _answered(client, 503)
            await _answered(client, 200)


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


async def _answered(client: httpx.AsyncClient, status: int) -> None:
    """Ask until the answer has this status."""
    while (await client.post(PREDICT, json=ASKED)).status_code != status:
        await asyncio.sleep(0.01)
