"""Which versions shadow, and beside what they are asked."""

from __future__ import annotations

import pytest

from ekiben_contracts.models import Role
from ekiben_inference_gateway.shadow.choosing import Shadows
from unit.gateway.building import ensemble, model, version
from unit.gateway.shadow.shadowing import CHALLENGED, CHAMPION, output, scored


def asked(shadows, event):
    return [(one.beside.model, one.choice.endpoint.version) for one in shadows.beside(event)]


def test_every_shadow_of_the_model_is_asked_beside_what_served():
    shadows = Shadows([model("delay", CHAMPION, CHALLENGED, version("3", 0, Role.SHADOW)), ensemble()])
    (first, second) = shadows.beside(scored())
    assert (first.choice.endpoint, second.choice.endpoint) == (
        ("delay", "2", "http://127.0.0.1:302"),
        ("delay", "3", "http://127.0.0.1:303"),
    )
    assert first.choice.role is Role.SHADOW
    assert first.choice.signature == tuple(CHALLENGED.signature)
    assert first.beside == output()
    assert shadows.endpoints == {first.choice.endpoint, second.choice.endpoint}


@pytest.mark.parametrize(
    "other",
    [
        version("2", 1, Role.SHADOW),
        version("2", 0, Role.CHALLENGER),
        version("2", 0, Role.CHAMPION),
        version("2", 0, Role.RETIRED),
    ],
    ids=["a shadow with traffic", "a challenger", "a champion", "a retired one"],
)
def test_nobody_else_is(other):
    assert asked(Shadows([model("delay", CHAMPION, other)]), scored()) == []


def test_a_challenger_that_served_is_shadowed_as_a_champion_is():
    served = output(of_version="9", role=Role.CHALLENGER)
    (one,) = Shadows([model("delay", CHAMPION, CHALLENGED)]).beside(scored(0, served))
    assert one.beside.role is Role.CHALLENGER


def test_a_version_is_not_its_own_shadow():
    """It served this request when it was scored, and has become a shadow since."""
    assert asked(Shadows([model("delay", CHALLENGED)]), scored(0, output(of_version="2"))) == []


def test_each_member_of_an_ensemble_has_its_own_shadows():
    routes = [model("delay", CHAMPION, CHALLENGED), model("weather", CHAMPION, CHALLENGED)]
    event = scored(0, output("delay"), output("weather"), output("wind"), model="both")
    found = list(Shadows(routes).beside(event))
    assert [(one.choice.endpoint.model, one.member) for one in found] == [
        ("delay", "delay"),
        ("weather", "weather"),
    ]


def test_the_shadow_of_a_single_model_is_no_member_of_anything():
    (one,) = Shadows([model("delay", CHAMPION, CHALLENGED)]).beside(scored())
    assert one.member is None


def test_an_address_that_any_model_s_traffic_goes_to_is_known():
    own, shared = CHALLENGED, version("3", 0, Role.SHADOW).model_copy(update={"url": "http://127.0.0.1:307"})
    routes = [model("delay", CHAMPION, own, shared), model("weather", version("7"))]
    shadows = Shadows(routes)
    assert [shadows.shares_with_traffic(one) for one in shadows.beside(scored())] == [False, True]
