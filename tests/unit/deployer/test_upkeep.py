from __future__ import annotations

from datetime import timedelta

from ekiben_deployer.targets import Served
from ekiben_deployer.upkeep import Kept, to_end, to_keep
from unit.deployer.building import NOW, instance, known, route, routed_version, shadow_version

GRACE = timedelta(seconds=10)
KNOWN = known(
    routes=[
        route("delay", routed_version("2"), routed_version("1", weight=0, retired_at=NOW)),
        route("weather", routed_version("1", port=20_003)),
    ]
)


def ended(instances, *, busy=(), now=NOW + GRACE, given=KNOWN):
    return [(served.model, served.version) for served in to_end(given, instances, busy, now, GRACE)]


def test_what_gets_traffic_should_run_but_for_models_that_are_being_deployed():
    assert to_keep(KNOWN, {"weather"}) == [
        Kept(Served("delay", "2", "delay:2-fake"), "http://127.0.0.1:20001")
    ]


def test_a_shadow_should_run_too_and_is_not_stopped():
    given = known(routes=[route("delay", routed_version("1"), shadow_version("2"))])

    assert [kept.served.version for kept in to_keep(given, ())] == ["1", "2"]
    assert ended([instance("delay", "2")], given=given) == []


def test_an_endpoint_without_a_bento_is_somebody_elses_to_run():
    foreign = routed_version().model_copy(update={"bento": None})

    assert to_keep(known(routes=[route("delay", foreign)]), ()) == []


def test_what_no_route_names_is_stopped():
    assert ended([instance("delay", "7"), instance("unknown", "1")]) == [("delay", "7"), ("unknown", "1")]


def test_a_retired_version_is_stopped_only_after_its_grace():
    running = [instance("delay", "1"), instance("delay", "2")]

    assert ended(running, now=NOW + GRACE - timedelta(seconds=1)) == []
    assert ended(running) == [("delay", "1")]


def test_nothing_of_a_model_that_is_being_deployed_is_stopped():
    assert ended([instance("delay", "7")], busy={"delay"}) == []
