"""Which version answers a request."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_contracts.models import Role
from ekiben_inference_gateway.routing import SLOTS, Router, slot
from unit.gateway.building import FakeRoutes, calibration, ensemble, model, version

ids = st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable())
weights = st.integers(min_value=1, max_value=SLOTS - 1)


def plan(name, *events):
    return Router(FakeRoutes.of(*events)).plan(name)


def drawn(by, route):
    return plan(route.model, route).members[0].draw(by).endpoint.version


def canary(weight):
    """Version 2 as a challenger of this weight, listed behind or before the champion."""
    return model("delay", version("1", SLOTS - weight, Role.CHAMPION), version("2", weight, Role.CHALLENGER))


@given(ids, weights, weights)
def test_a_growing_canary_keeps_the_requests_it_has(request_id, one, other):
    small, large = sorted((one, other))
    if drawn(request_id, canary(small)) == "2":
        assert drawn(request_id, canary(large)) == "2"


def test_from_5_to_25_percent_the_first_5_percent_stay_and_20_join():
    requests = [f"flight-{n}" for n in range(4000)]
    first = {r for r in requests if drawn(r, canary(500)) == "2"}
    then = {r for r in requests if drawn(r, canary(2500)) == "2"}
    assert first < then
    assert 140 < len(first) < 260
    assert 900 < len(then) < 1100


@given(ids, weights)
def test_the_order_of_the_versions_in_a_route_does_not_matter(request_id, weight):
    route = canary(weight)
    turned = route.model_copy(update={"versions": route.versions[::-1]})
    assert drawn(request_id, route) == drawn(request_id, turned)


@given(ids)
def test_a_request_draws_the_same_version_every_time(request_id):
    assert drawn(request_id, canary(4000)) == drawn(request_id, canary(4000))


@given(ids)
def test_neither_shadow_nor_retired_versions_are_drawn(request_id):
    route = model(
        "delay",
        version("1", 0, Role.RETIRED),
        version("2", SLOTS),
        version("3", 0, Role.SHADOW),
        version("4", 300, Role.SHADOW),
    )
    assert drawn(request_id, route) == "2"


def test_what_the_weights_leave_over_goes_to_the_champion():
    route = model("delay", version("1", 10), version("2", 10, Role.CHALLENGER))
    assert Counter(drawn(f"flight-{n}", route) for n in range(1000))["1"] > 950


def test_two_models_draw_independently():
    requests = [f"flight-{n}" for n in range(4000)]
    both = sum(slot("delay", r) < 5000 and slot("weather", r) < 5000 for r in requests)
    assert 850 < both < 1150


@given(ids, ids)
def test_slots_are_within_the_weights(name, by):
    assert 0 <= slot(name, by) < SLOTS


def test_a_slot_never_changes_between_releases():
    assert slot("delay", "flight-7") == 1561


def test_a_model_is_a_plan_of_itself():
    found = plan("delay", model("delay", version("3", calibration=calibration("delay-3"))))
    assert found.ensemble is None
    (choice,) = found.members[0].choices
    assert choice.endpoint == ("delay", "3", "http://127.0.0.1:303")
    assert choice.calibration == "delay-3"


def test_an_ensemble_is_a_plan_of_its_members_in_their_order():
    found = plan("both", ensemble("both", ["weather", "delay"]), model("delay"), model("weather"))
    assert [member.model for member in found.members] == ["weather", "delay"]
    assert found.ensemble.revision == 7


def test_a_member_that_is_not_routed_is_named():
    router = Router(FakeRoutes.of(ensemble("both", ["delay", "weather"]), model("delay")))
    assert router.plan("both").absent == ("weather",)
    assert not router.is_complete("both")


@pytest.mark.parametrize(
    "events",
    [
        (),
        (model("other"),),
        (model("delay", version("1", 0, Role.RETIRED)),),
        (model("delay", version("1", 0)),),
    ],
)
def test_a_name_without_a_version_that_takes_traffic_has_no_plan(events):
    router = Router(FakeRoutes.of(*events))
    assert router.plan("delay") is None
    assert "delay" not in router.names
