from __future__ import annotations

from ekiben_contracts.deployment import Step, Strategy
from ekiben_deployer.planning import DEFINE, RETIRE, SHADOW, Plan
from ekiben_deployer.reconciling import Seen
from ekiben_deployer.strategies import STEPS
from ekiben_deployer.undoing import Undo, undo
from unit.deployer.building import NOW, instance, route, routed_version, shadow_version, told

DIRECT = Plan(STEPS[Strategy.DIRECT], "2", "")
BEFORE_ROUTING = told(Step.PLANNED, Step.PACKAGED, Step.STARTED, version="2")
ROUTED = told(*STEPS[Strategy.DIRECT][:5], version="2")
BOTH = {"1": instance(version="1"), "2": instance(version="2")}
TURNED = route("delay", routed_version("2"), routed_version("1", weight=0, retired_at=NOW))


def test_a_first_version_that_fails_before_it_was_routed_is_stopped():
    assert undo(DIRECT, Seen(BEFORE_ROUTING)) == Undo(Step.FAILED, stop="2", meaning="nothing was routed")


def test_the_champion_serves_on_when_its_successor_fails_before_it_was_routed():
    taken_back = undo(DIRECT, Seen(BEFORE_ROUTING, route(), BOTH))

    assert taken_back == Undo(Step.FAILED, stop="2", meaning="version 1 serves on")


def test_traffic_goes_back_to_the_version_before_while_that_still_runs():
    taken_back = undo(DIRECT, Seen(ROUTED, TURNED, BOTH))

    assert taken_back == Undo(Step.ROLLED_BACK, restore="1", stop="2", meaning="version 1 serves again")


def test_a_rollback_that_was_interrupted_after_the_route_ends_the_same():
    back = route("delay", routed_version("1"), routed_version("2", weight=0, retired_at=NOW))

    assert undo(DIRECT, Seen(ROUTED, back, BOTH)) == Undo(
        Step.ROLLED_BACK, stop="2", meaning="version 1 serves again"
    )


def test_what_serves_is_not_stopped_when_nothing_runs_in_its_place():
    taken_back = undo(DIRECT, Seen(ROUTED, TURNED, {"2": instance(version="2")}))

    assert (taken_back.step, taken_back.stop, taken_back.restore) == (Step.FAILED, None, None)


def test_the_champion_deployed_again_serves_on_when_that_fails():
    seen = Seen(BEFORE_ROUTING, route("delay", routed_version("2")), {"2": instance(version="2")})

    assert undo(DIRECT, seen).stop is None


def test_a_shadow_that_was_routed_shadows_on_and_one_that_was_not_is_stopped():
    plan = Plan(SHADOW, "2", "")
    beside = route("delay", routed_version("1"), shadow_version("2"))

    assert undo(plan, Seen(ROUTED, beside, BOTH)) == Undo(Step.FAILED, meaning="version 2 shadows on")
    assert undo(plan, Seen(BEFORE_ROUTING, route(), BOTH)) == Undo(
        Step.FAILED, stop="2", meaning="version 1 serves on"
    )


def test_what_shadowed_before_shadows_on_when_it_fails_to_take_over():
    beside = route("delay", routed_version("1"), shadow_version("2"))

    assert undo(DIRECT, Seen(BEFORE_ROUTING, beside, BOTH)) == Undo(
        Step.FAILED, meaning="version 2 shadows on"
    )


def test_a_refused_request_and_those_that_start_nothing_take_nothing_back():
    for plan in (None, Plan(DEFINE, None, ""), Plan(RETIRE, "1", "")):
        assert undo(plan, Seen(told(), route(), BOTH)) == Undo(Step.FAILED)
