"""When clients of models are opened and closed."""

from __future__ import annotations

import pytest

from ekiben_contracts.models import Role
from ekiben_inference_gateway.clients import RoutedClients, routed_endpoints
from ekiben_inference_gateway.routing import Router
from unit.gateway.building import FakeModels, FakeRoutes, model, version


@pytest.fixture
def models():
    return FakeModels()


@pytest.fixture
def clients(models):
    return RoutedClients(models.open)


def choice(of_version="1"):
    routes = FakeRoutes.of(model("delay", version(of_version)))
    return Router(routes).plan("delay").members[0].choices[0]


NOBODY = frozenset()


def test_a_version_has_one_client_however_often_it_is_asked(clients, models):
    assert clients.of(choice()) is clients.of(choice())
    assert len(models.opened) == 1


def test_another_version_has_a_client_of_its_own(clients):
    assert clients.of(choice("1")) is not clients.of(choice("2"))


async def test_a_client_whose_route_is_gone_is_closed_at_the_second_sweep(clients):
    client = clients.of(choice())
    await clients.sweep(NOBODY)
    assert not client.closed
    await clients.sweep(NOBODY)
    assert client.closed


async def test_a_client_that_is_routed_stays_open(clients):
    client = clients.of(choice())
    for _ in range(3):
        await clients.sweep(frozenset({choice().endpoint}))
    assert not client.closed


async def test_a_route_that_comes_back_between_two_sweeps_keeps_its_client(clients):
    client = clients.of(choice())
    for routed in (NOBODY, frozenset({choice().endpoint}), NOBODY):
        await clients.sweep(routed)
    assert not client.closed


async def test_every_client_is_closed_at_the_end(clients):
    async with clients.lifespan():
        opened = [clients.of(choice("1")), clients.of(choice("2"))]
    assert all(client.closed for client in opened)


def test_versions_without_traffic_are_not_routed():
    routes = FakeRoutes.of(model("delay", version("1"), version("2", 0, Role.RETIRED)))
    assert {endpoint.version for endpoint in routed_endpoints(routes)} == {"1"}
