"""The life of the face on a socket: it warms its clients, finishes what is under way, and then publishes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, closing

import httpx
import pytest

from ekiben_inference_gateway.http.face import Face
from ekiben_inference_gateway.http.server import ListenError
from ekiben_inference_gateway.http.settings import HttpSettings
from unit.gateway.building import FakeRoutes, Gateway, model
from unit.gateway.http.facing import ASKED, FakeBus, core_of, facing, problem_of

PREDICT = "/v1/predictions"
DEADLINE_S = 20
STAYS_S = 0.5


@pytest.fixture
def gateway():
    return Gateway(FakeRoutes.of(model("delay"), model("weather")))


def face(gateway, bus=None, **settings):
    return Face(
        HttpSettings(port=0, **settings),
        core_of(gateway),
        (bus or FakeBus()).publish,
        gateway.registry,
        lambda: True,
    )


@asynccontextmanager
async def client_of(listening):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listening.port}", timeout=DEADLINE_S) as client:
        yield client


class Hanging:
    """A model that answers once it is let."""

    def __init__(self, gateway):
        self.begun, self.go = asyncio.Event(), asyncio.Event()
        self.asked = 0
        client = gateway.models.client("delay")
        self._answer = client.predict_batch
        client.predict_batch = self.predict_batch

    async def predict_batch(self, rows, **rest):
        self.asked += 1
        self.begun.set()
        await self.go.wait()
        return await self._answer(rows, **rest)


async def test_every_client_is_open_before_the_first_request(gateway):
    async with face(gateway).lifespan():
        assert set(gateway.models.clients) == {("delay", "1"), ("weather", "1")}


async def test_a_stop_waits_for_who_is_asking_and_publishes_what_was_answered(gateway):
    bus, hanging = FakeBus(), Hanging(gateway)
    stopping = asyncio.Event()
    found = face(gateway, bus)

    async def live():
        async with found.lifespan():
            await stopping.wait()

    async with asyncio.timeout(DEADLINE_S):
        living = asyncio.create_task(live())
        while found.port is None:
            await asyncio.sleep(0.01)
        async with client_of(found) as client:
            asking = asyncio.create_task(client.post(PREDICT, json=ASKED))
            await hanging.begun.wait()
            stopping.set()
            await _refused(found.port)
            ended, _ = await asyncio.wait([living, asking], timeout=STAYS_S)
            assert ended == set()
            hanging.go.set()
            answer = await asking
            await living
    assert answer.status_code == 200
    assert [one.id for one in bus.published] == ["r-1/scored/1"]


async def _refused(port):
    """Wait until nobody is let in any more; whom the stop meets at the door is reset, not refused."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            continue
        writer.close()
        await asyncio.sleep(0.01)


async def test_an_address_that_is_taken_is_named(gateway):
    async with face(gateway).lifespan() as first:
        second = Face(
            HttpSettings(port=first.port),
            core_of(gateway),
            FakeBus().publish,
            Gateway(None).registry,
            lambda: True,
        )
        with pytest.raises(ListenError, match="EKIBEN_HTTP_PORT"):
            async with second.lifespan():
                pytest.fail("it listens where another does")


async def test_further_requests_than_may_be_under_way_are_told_to_come_again(gateway):
    hanging = Hanging(gateway)
    async with facing(gateway, requests_at_a_time=1) as client, asyncio.timeout(DEADLINE_S):
        asking = asyncio.create_task(client.post(PREDICT, json=ASKED))
        await hanging.begun.wait()
        refused = await client.post(PREDICT, json=ASKED)
        hanging.go.set()
        assert (await asking).status_code == 200
        again = await client.post(PREDICT, json=ASKED)
    assert (refused.status_code, problem_of(refused)["code"]) == (503, "busy")
    assert int(refused.headers["retry-after"]) > 0
    assert again.status_code == 200


async def test_a_full_lane_is_a_503_that_says_when_to_come_again(gateway):
    hanging = Hanging(gateway)
    bounds = {"waiting_requests": 1, "batches_at_a_time": 1}
    async with facing(gateway, **bounds) as client, asyncio.timeout(DEADLINE_S):
        first = asyncio.create_task(client.post(PREDICT, json=ASKED))
        await hanging.begun.wait()
        others = [asyncio.create_task(client.post(PREDICT, json=ASKED)) for _ in range(2)]
        done, _ = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
        refused = done.pop().result()
        hanging.go.set()
        statuses = sorted([(await one).status_code for one in (first, *others)])
    assert (refused.status_code, problem_of(refused)["code"]) == (503, "busy")
    assert int(refused.headers["retry-after"]) > 0
    assert statuses == [200, 200, 503]


async def test_a_body_that_does_not_arrive_in_time_is_given_up(gateway):
    async with face(gateway, body_timeout_s=0.05).lifespan() as found, asyncio.timeout(DEADLINE_S):
        answer = ""
        while not answer:  # closed without one where a busy machine was late with the head
            answer = await _half_a_body(found.port)
    assert answer.startswith("HTTP/1.1 408 ")
    assert '"code":"body_timeout"' in answer


async def _half_a_body(port):
    """All that is answered to a body of which the rest never comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = ["host: x", "content-type: application/json", "content-length: 99"]
    writer.write("\r\n".join([f"POST {PREDICT} HTTP/1.1", *head, "", "{"]).encode())
    with closing(writer):
        try:
            return (await reader.read()).decode()
        except ConnectionResetError:
            return ""


async def test_requests_are_counted_by_route_and_status_whatever_is_sent(gateway):
    async with facing(gateway) as client:
        await client.post(PREDICT, json=ASKED)
        for number in range(3):
            await client.get(f"/v1/models/m{number}/health")
            await client.get(f"/nothing/{number}")
    assert gateway.count("ekiben_http_requests_total", route=PREDICT, status="200") == 1
    assert gateway.count("ekiben_http_requests_total", route="/v1/models/{model}/health", status="404") == 3
    assert gateway.count("ekiben_http_requests_total", route="(none)", status="404") == 3
    assert gateway.count("ekiben_http_requests_under_way") == 0
