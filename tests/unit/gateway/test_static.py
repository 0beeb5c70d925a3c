"""Models that a file names."""

from __future__ import annotations

import asyncio

import pytest

from ekiben_inference_gateway.clients import routed_endpoints
from ekiben_inference_gateway.routing import Endpoint, Router
from ekiben_inference_gateway.settings import GatewaySettings
from ekiben_inference_gateway.static import Opener, static_members
from ekiben_serving.endpoints import ModelClientFactory, ModelEndpoints
from ekiben_serving.failover import FailoverModelClient
from ekiben_serving.http_client import HTTPModelClient
from unit.gateway.building import FakeRoutes, ensemble, model, version
from unit.in_memory import until
from unit.serving.columns_server import SIGNATURE, serving

HTTP, HERE = {"url": "http://127.0.0.1:3009"}, {"model_uri": "models:/delay/1"}


def written(version="1", *endpoints):
    return ModelEndpoints.model_validate({"models": {"delay": {"version": version, "endpoints": endpoints}}})


def test_a_model_without_a_route_is_the_files():
    static = static_members(written("7", HTTP))
    (choice,) = Router(FakeRoutes.of(), static).plan("delay").members[0].choices
    assert choice.endpoint == Endpoint("delay", "7", HTTP["url"])
    assert Router(FakeRoutes.of(), static).names == ["delay"]
    assert routed_endpoints(FakeRoutes.of(), static) == {choice.endpoint}


def test_a_route_is_stronger_than_the_file():
    static = static_members(written("7", HTTP))
    routes = FakeRoutes.of(model("delay"))
    (choice,) = Router(routes, static).plan("delay").members[0].choices
    assert choice.endpoint.version == "1"
    assert routed_endpoints(routes, static) == {choice.endpoint}


def test_a_model_of_the_file_can_be_a_member_of_an_ensemble():
    routes = FakeRoutes.of(model("weather"), ensemble("both", ["delay", "weather"]))
    plan = Router(routes, static_members(written("7", HTTP))).plan("both")
    assert [member.model for member in plan.members] == ["delay", "weather"]
    assert plan.absent == ()


@pytest.mark.parametrize(
    ("endpoints", "routed", "kind"),
    [
        (written("1", HERE), "1", FailoverModelClient),
        (written("2", HERE), "1", HTTPModelClient),
        (written("1", {"url": "http://127.0.0.1:301"}, HERE), "1", FailoverModelClient),
        (ModelEndpoints(), "1", HTTPModelClient),
    ],
)
async def test_the_file_says_where_else_the_same_version_answers(endpoints, routed, kind):
    choice = Router(FakeRoutes.of(model("delay"))).plan("delay").members[0].choices[0]
    assert choice.endpoint.version == routed
    client = Opener(endpoints, ModelClientFactory(endpoints), GatewaySettings())(choice)
    assert type(client) is kind
    await client.close()


@pytest.mark.parametrize(("in_the_file", "most"), [(None, 2), (3, 3)])
async def test_an_endpoint_has_the_calls_at_a_time_of_the_file_and_a_routed_one_those_of_the_setting(
    in_the_file, most
):
    async with serving() as server:
        here = {"url": server.url, "max_concurrent_calls": in_the_file}
        endpoints = written("3", here) if in_the_file else ModelEndpoints()
        behind = version("3").model_copy(update={"url": server.url, "signature": SIGNATURE})
        choice = Router(FakeRoutes.of(model("delay", behind))).plan("delay").members[0].choices[0]
        settings = GatewaySettings(max_concurrent_calls=2, call_budget_s=30)
        client = Opener(endpoints, ModelClientFactory(endpoints), settings)(choice)
        server.gate.clear()
        calls = [asyncio.create_task(client.predict_batch([{"x": 1.0}], budget_s=30)) for _ in range(9)]
        await until(lambda: server.under_way == most)
        server.gate.set()
        await asyncio.gather(*calls)
        await client.close()
    assert (server.calls, server.most_under_way) == (9, most)
