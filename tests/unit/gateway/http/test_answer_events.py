"""What was answered over HTTP is published as its events: beside the answers, bounded, to the end."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from ekiben_contracts.lean import SCORED
from ekiben_contracts.prediction import FailureCode, PredictionFailed
from ekiben_contracts.topics import MODEL_OUTPUTS, PREDICTION_RESULTS
from ekiben_inference_gateway.http import publishing
from ekiben_inference_gateway.http.publishing import AnswerEvents
from ekiben_inference_gateway.refusals import Refusal
from ekiben_inference_gateway.requests import Request
from ekiben_serving.validation import RowError
from unit.gateway.building import FEATURES, NOW, FakeRoutes, Gateway, ensemble, model, received
from unit.gateway.http.facing import ASKED, FakeBus, facing

FINAL = Refusal(FailureCode.INTERNAL, "broken")
DEADLINE_S = 10


@pytest.fixture
def gateway():
    return Gateway(FakeRoutes.of(model("delay"), ensemble("both", ["delay"])))


@pytest.fixture
def bus():
    return FakeBus()


def events(gateway, bus, most=100, drain_s=5.0):
    return AnswerEvents(bus.publish, most, drain_s, lambda: NOW, gateway.registry)


def request(name):
    asked = received(request_id=name).event
    return Request(name, asked, NOW)


async def test_a_prediction_is_published_as_the_bus_would(gateway, bus):
    async with facing(gateway, bus) as client, asyncio.timeout(DEADLINE_S):
        await client.post("/v1/predictions", json=ASKED)
        await bus.arrived.wait()
    (one,) = bus.published
    assert (one.topic, one.id, one.key) == (MODEL_OUTPUTS, "r-1/scored/1", None)
    assert isinstance(one.event, SCORED)
    assert (one.event.features, one.event.outputs[0].value) == (FEATURES, 0.35)
    assert one.event.explanations is None


async def test_a_final_refusal_is_published_without_a_dead_letter(gateway, bus):
    gateway.models.row_errors["UA"] = RowError("internal", "broken")
    async with facing(gateway, bus) as client, asyncio.timeout(DEADLINE_S):
        await client.post("/v1/predictions", json=ASKED)
        await bus.arrived.wait()
    (one,) = bus.published
    assert (one.topic, one.id) == (PREDICTION_RESULTS, "r-1/result/1")
    assert isinstance(one.event, PredictionFailed)
    assert (one.event.code, one.event.dead_letter) == (FailureCode.INTERNAL, None)


@pytest.mark.parametrize(
    "asked", [{"model": "both"}, {"model": "nobody"}, {"features": {**FEATURES, "distance": "far"}}], ids=str
)
async def test_what_may_be_asked_again_under_the_same_id_gets_no_terminal_event(gateway, bus, asked):
    async with facing(gateway, bus) as client, asyncio.timeout(DEADLINE_S):
        refused = await client.post("/v1/predictions", json={**ASKED, **asked})
        await client.post("/v1/predictions", json={**ASKED, "request_id": "r-2"})
        await bus.arrived.wait()
    assert refused.status_code >= 400
    assert [one.id for one in bus.published] == ["r-2/scored/1"]


async def test_a_model_that_is_down_gets_no_terminal_event(gateway, bus):
    gateway.models.down()
    async with facing(gateway, bus) as client, asyncio.timeout(DEADLINE_S):
        assert (await client.post("/v1/predictions", json=ASKED)).status_code == 503
        gateway.models.up()
        await client.post("/v1/predictions", json=ASKED)
        await bus.arrived.wait()
    assert [one.id for one in bus.published] == ["r-1/scored/1"]


async def test_nothing_is_published_where_that_is_switched_off(gateway, bus):
    async with facing(gateway, bus, publish_answers=False) as client:
        assert (await client.post("/v1/predictions", json=ASKED)).status_code == 200
    await asyncio.sleep(0)
    assert bus.published == []


async def test_answers_do_not_wait_for_kafka(gateway):
    bus = FakeBus(refusals=10**9)
    async with facing(gateway, bus) as client:
        answers = [await client.post("/v1/predictions", json=ASKED) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]


async def test_answers_of_a_short_while_are_published_together(gateway, bus):
    told = events(gateway, bus)
    running = asyncio.create_task(told.run())
    async with told.lifespan(), asyncio.timeout(DEADLINE_S):
        told.offer(request("a"), FINAL)
        for _ in range(10):
            await asyncio.sleep(0)
        told.offer(request("b"), FINAL)
        await bus.arrived.wait()
        assert [one.id for one in bus.published] == ["a/result/1", "b/result/1"]
        running.cancel()


async def test_what_arrives_while_some_are_sent_collects_again(gateway, bus):
    sizes, sent = [], asyncio.Event()

    async def publish(outgoing):
        sizes.append(len(outgoing))
        if len(sizes) == 1:
            told.offer(request("b"), FINAL)
            sent.set()
        else:
            await bus.publish(outgoing)

    told = AnswerEvents(publish, 100, 5.0, lambda: NOW, gateway.registry)
    running = asyncio.create_task(told.run())
    async with told.lifespan(), asyncio.timeout(DEADLINE_S):
        told.offer(request("a"), FINAL)
        await sent.wait()
        for _ in range(10):
            await asyncio.sleep(0)
        told.offer(request("c"), FINAL)
        await bus.arrived.wait()
        running.cancel()
    assert sizes == [1, 2]


async def test_what_kafka_refused_is_sent_again_in_order(gateway, monkeypatch):
    monkeypatch.setattr(publishing, "_AGAIN_IN_S", 0.001)
    bus = FakeBus(refusals=3)
    told = events(gateway, bus)
    async with told.lifespan():
        for name in "abc":
            told.offer(request(name), FINAL)
    assert [one.id for one in bus.published] == ["a/result/1", "b/result/1", "c/result/1"]


async def test_what_finds_no_room_is_counted(gateway, bus):
    told = events(gateway, bus, most=2)
    async with told.lifespan():
        for name in "abcd":
            told.offer(request(name), FINAL)
    assert [one.id for one in bus.published] == ["a/result/1", "b/result/1"]
    assert gateway.count("ekiben_http_answers_lost_total", why="full") == 2


async def test_the_first_that_finds_no_room_is_logged_each_time_there_was_some(gateway, bus):
    told = events(gateway, bus, most=1)
    with capture_logs() as logged:
        for names in ("abc", "def"):
            async with told.lifespan():
                for name in names:
                    told.offer(request(name), FINAL)
    assert [(one["log_level"], one["first"]) for one in logged] == [("error", "b"), ("error", "e")]


async def test_large_ones_are_bounded_by_their_bytes_and_there_is_room_again(gateway, bus, monkeypatch):
    monkeypatch.setattr(publishing, "_MOST_BYTES", 100 * publishing._HELD_FOR_A_BYTE)
    told = events(gateway, bus)
    for names in ("ab", "cd"):
        async with told.lifespan():
            for name in names:
                told.offer(request(name), FINAL)
    assert [one.id for one in bus.published] == ["a/result/1", "c/result/1"]
    assert gateway.count("ekiben_http_answers_lost_total", why="full") == 2


async def test_one_that_is_too_large_costs_no_other(gateway):
    bus = FakeBus(too_large=frozenset({"c/result/1"}))
    told = events(gateway, bus)
    async with told.lifespan():
        for name in "abcde":
            told.offer(request(name), FINAL)
    assert [one.id for one in bus.published] == [f"{name}/result/1" for name in "abde"]
    assert gateway.count("ekiben_http_answers_lost_total", why="too_large") == 1


async def test_a_stop_gives_up_after_its_time_and_counts_what_is_lost(gateway):
    bus = FakeBus(refusals=10**9)
    told = events(gateway, bus, drain_s=0.01)
    async with asyncio.timeout(DEADLINE_S), told.lifespan():
        told.offer(request("a"), FINAL)
        told.offer(request("b"), FINAL)
    assert gateway.count("ekiben_http_answers_lost_total", why="stopped") == 2
