"""Models that a file names."""

from __future__ import annotations

import pytest

from ekiben_inference_gateway.clients import routed_endpoints
from ekiben_inference_gateway.routing import Endpoint, Router
from ekiben_inference_gateway.settings import GatewaySettings
from ekiben_inference_gateway.static import Opener, static_members
from ekiben_serving.endpoints import ModelClientFactory, ModelEndpoints
from ekiben_serving.failover import FailoverModelClient
from ekiben_serving.http_client import HTTPModelClient
from unit.gateway.building import FakeRoutes, ensemble, model

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
