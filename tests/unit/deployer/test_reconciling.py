from __future__ import annotations

from ekiben_contracts.deployment import Step, Strategy
from ekiben_deployer.planning import DEFINE, RETIRE, SHADOW, Plan
from ekiben_deployer.reconciling import Seen, next_step, to_stop, unblocked
from ekiben_deployer.strategies import STEPS
from unit.deployer.building import (
    NOW,
    combine,
    deploy,
    instance,
    retire,
    rollback,
    route,
    routed_version,
    shadow_version,
    told,
)

DIRECT = Plan(STEPS[Strategy.DIRECT], "1", "")
ALL = STEPS[Strategy.DIRECT]


def until(step):
    """Every step before this one was told."""
    return told(*ALL[: ALL.index(step)])


def test_what_nobody_planned_is_planned_first():
    assert next_step(DIRECT, Seen(told())) is Step.PLANNED


def test_each_step_follows_the_one_that_was_told_while_the_world_agrees():
    running, routed = {"1": instance()}, route()
    worlds = {
        Step.PACKAGED: Seen(until(Step.PACKAGED)),
        Step.STARTED: Seen(until(Step.STARTED)),
        Step.WARMED_UP: Seen(until(Step.WARMED_UP), instances=running),
        Step.ROUTED: Seen(until(Step.ROUTED), instances=running),
        Step.PROMOTED: Seen(until(Step.PROMOTED), routed, running),
        Step.RETIRED: Seen(until(Step.RETIRED), routed, running),
        Step.COMPLETED: Seen(until(Step.COMPLETED), routed, running),
    }

    assert {step: next_step(DIRECT, seen) for step, seen in worlds.items()} == {step: step for step in worlds}


def test_a_child_that_vanished_on_the_way_is_started_again():
    assert next_step(DIRECT, Seen(until(Step.ROUTED), instances={})) is Step.STARTED


def test_a_child_of_another_bento_is_not_the_one_that_was_started():
    other = {"1": instance(bento="delay:1-other")}

    assert next_step(DIRECT, Seen(until(Step.ROUTED), instances=other)) is Step.STARTED


def test_a_route_that_was_written_just_before_a_crash_is_told_and_does_not_change():
    seen = Seen(until(Step.ROUTED), route(), {"1": instance()})

    assert next_step(DIRECT, seen) is Step.ROUTED


def test_a_route_that_names_another_url_is_written_again():
    moved = {"1": instance(port=20_009)}

    assert next_step(DIRECT, Seen(until(Step.PROMOTED), route(), moved)) is Step.ROUTED


def test_an_old_version_that_still_runs_is_retired_before_the_end():
    running = {"1": instance(), "0": instance(version="0")}
    seen = Seen(until(Step.COMPLETED), route(), running)

    assert next_step(DIRECT, seen) is Step.RETIRED
    assert to_stop(DIRECT, seen) == ["0"]


def test_what_shadows_goes_on_when_another_version_is_deployed():
    running = {"1": instance(), "0": instance(version="0"), "2": instance(version="2")}
    seen = Seen(until(Step.COMPLETED), route("delay", routed_version("1"), shadow_version("2")), running)

    assert to_stop(DIRECT, seen) == ["0"]


def test_a_shadow_is_routed_once_the_route_says_that_it_shadows_where_it_runs():
    plan = Plan(SHADOW, "2", "")
    progress = told(*SHADOW[: SHADOW.index(Step.PROMOTED)], version="2")
    running = {"1": instance(), "2": instance(version="2", port=20_002)}

    def following(*versions):
        return next_step(plan, Seen(progress, route("delay", *versions), running))

    assert following(routed_version("1")) is Step.ROUTED
    assert following(routed_version("1"), shadow_version("2", port=20_009)) is Step.ROUTED
    assert following(routed_version("2", port=20_002)) is Step.ROUTED
    assert following(routed_version("1"), shadow_version("2")) is Step.PROMOTED


def test_a_retirement_takes_the_traffic_first_and_then_stops_that_version_alone():
    plan = Plan(RETIRE, "1", "")
    running = {"1": instance(), "2": instance(version="2")}
    without = route("delay", routed_version(weight=0, retired_at=NOW))

    assert next_step(plan, Seen(told(Step.PLANNED, Step.ROUTED), route(), running)) is Step.ROUTED
    assert next_step(plan, Seen(told(Step.PLANNED, Step.ROUTED), without, running)) is Step.RETIRED
    assert to_stop(plan, Seen(told(), without, running)) == ["1"]


def test_a_shadow_that_is_retired_leaves_the_route_first():
    plan = Plan(RETIRE, "2", "")
    seen = Seen(told(Step.PLANNED, Step.ROUTED), route("delay", routed_version("1"), shadow_version("2")))

    assert next_step(plan, seen) is Step.ROUTED


def test_an_ensemble_is_complete_once_it_is_defined_as_it_was_asked_for():
    plan = Plan(DEFINE, None, "")
    progress = told(Step.PLANNED, Step.ROUTED, version=None)

    assert next_step(plan, Seen(progress, definition_holds=False)) is Step.ROUTED
    assert next_step(plan, Seen(progress, definition_holds=True)) is Step.COMPLETED


def test_requests_about_one_model_wait_for_one_another_and_others_do_not():
    first, second, other = deploy(version="1"), rollback(), deploy("weather")

    assert unblocked([first, second, other]) == [first, other]


def test_an_ensemble_waits_for_the_deployments_of_its_members_that_came_before():
    members, ensemble, later = [deploy("delay"), deploy("weather")], combine(), retire("delay")

    assert unblocked([*members, ensemble]) == members
    assert unblocked([members[1], ensemble]) == [members[1]]
    assert unblocked([ensemble, later]) == [ensemble]


def test_what_waits_makes_what_comes_after_it_wait():
    assert [r.deployment_id for r in unblocked([deploy("a"), combine("e", ("a", "b")), deploy("b")])] == [
        "deploy-a-1"
    ]


def test_a_version_that_serves_without_its_feature_service_is_routed_once_more():
    plan = Plan(STEPS[Strategy.DIRECT], "1", "", "flights")
    plain, named = route(), route().model_copy(update={"feature_service": "flights"})
    steps = [next_step(plan, Seen(told(*ALL), routed, {"1": instance()})) for routed in (plain, named)]
    assert steps == [Step.ROUTED, Step.COMPLETED]
