from __future__ import annotations

import pytest

from ekiben_contracts.deployment import Resources, Step, Strategy, Target
from ekiben_contracts.models import Method, ProblemType, Quorum
from ekiben_deployer.planning import SHADOW, Plan, Refused, plan, resume
from unit.deployer.building import (
    NOW,
    combine,
    defined,
    deploy,
    known,
    retire,
    rollback,
    route,
    routed_version,
    trained,
)

TWO = known(routes=[route("delay"), route("weather")])


def reason_of(request, given):
    refused = plan(request, given)
    assert isinstance(refused, Refused)
    return refused.reason


def test_a_direct_deployment_goes_through_every_step_in_order():
    planned = plan(deploy(), known(trained=[trained()]))

    assert isinstance(planned, Plan)
    assert [step.value for step in planned.steps] == [
        "planned",
        "packaged",
        "started",
        "warmed_up",
        "routed",
        "promoted",
        "retired",
        "completed",
    ]
    assert planned.version == "1"
    assert "ada" in planned.reason


@pytest.mark.parametrize("strategy", [Strategy.CANARY, Strategy.BLUE_GREEN])
def test_a_strategy_that_is_not_supported_is_refused_by_the_names_of_those_that_are(strategy):
    reason = reason_of(deploy(strategy=strategy), known(trained=[trained()]))

    assert f"expected a strategy of direct, shadow, found {strategy}" in reason


@pytest.mark.parametrize(
    ("routes", "found"),
    [((), "none"), ((route("delay", routed_version("2")),), "that this one serves")],
    ids=["nothing serves", "it serves itself"],
)
def test_a_shadow_needs_another_version_that_serves(routes, found):
    asked = deploy(version="2", strategy=Strategy.SHADOW)

    reason = reason_of(asked, known(routes=routes, trained=[trained(version="2")]))

    assert f"expected another version of delay that serves, found {found}" in reason


def test_a_version_beside_a_champion_is_planned_to_shadow_it():
    asked = deploy(version="2", strategy=Strategy.SHADOW)

    planned = plan(asked, known(routes=[route()], trained=[trained(version="2")]))

    assert (planned.steps, planned.version) == (SHADOW, "2")
    assert Step.RETIRED not in SHADOW


@pytest.mark.parametrize("target", [Target.DOCKER, Target.KUBERNETES])
def test_a_target_that_is_not_supported_is_refused_by_the_names_of_those_that_are(target):
    assert f"expected a target of local, found {target}" in reason_of(
        deploy(target=target), known(trained=[trained()])
    )


def test_more_replicas_than_the_local_target_runs_are_refused():
    assert "expected 1 replica" in reason_of(deploy(replicas=2), known(trained=[trained()]))


def test_resources_that_nobody_enforces_are_named_in_the_plan():
    planned = plan(deploy(resources=Resources(cpu=1)), known(trained=[trained()]))

    assert "resources are not enforced" in planned.reason


def test_production_skips_no_stage():
    assert "from Staging to Production" in reason_of(
        deploy(environment="production"), known(trained=[trained()])
    )


def test_an_untrained_version_is_refused_and_the_trained_ones_are_named():
    reason = reason_of(deploy(version="3"), known(trained=[trained(version="1"), trained(version="2")]))

    assert "delay version 3" in reason
    assert "found versions: 1, 2" in reason


def test_a_model_may_not_take_the_name_of_an_ensemble():
    given = known(trained=[trained("both")], ensembles=[defined("both")])

    assert "both is an ensemble" in reason_of(deploy("both"), given)


def test_a_version_may_not_change_what_the_model_answers():
    given = known(routes=[route()], trained=[trained(version="2", problem_type=ProblemType.REGRESSION)])

    assert "expected a classification model" in reason_of(deploy(version="2"), given)


def test_a_rollback_goes_to_the_version_that_served_last():
    old = routed_version("1", weight=0, retired_at=NOW.replace(hour=1))
    older = routed_version("0", weight=0, retired_at=NOW.replace(hour=0))
    given = known(routes=[route("delay", routed_version("2"), older, old)], trained=[trained(version="1")])

    planned = plan(rollback(), given)

    assert isinstance(planned, Plan)
    assert planned.version == "1"
    assert planned.steps == plan(deploy(), given).steps


def test_a_rollback_without_a_version_before_is_refused():
    assert "found none in its route" in reason_of(rollback(), known(routes=[route()]))


def test_a_rollback_that_was_planned_keeps_its_version_though_the_route_has_turned():
    assert resume(rollback(), "1").version == "1"


def test_a_routed_version_can_be_retired():
    planned = plan(retire(), known(routes=[route()]))

    assert isinstance(planned, Plan)
    assert planned.steps == (Step.PLANNED, Step.ROUTED, Step.RETIRED, Step.COMPLETED)


def test_a_version_that_is_not_routed_cannot_be_retired():
    assert "found 9" in reason_of(retire(version="9"), known(routes=[route()]))


def test_the_serving_version_of_a_member_of_an_ensemble_is_not_retired():
    given = known(routes=[route()], ensembles=[defined(members=("delay", "weather"))])

    assert "member of both" in reason_of(retire(), given)


def test_an_ensemble_of_routed_models_is_defined():
    planned = plan(combine(), TWO)

    assert isinstance(planned, Plan)
    assert planned.version is None
    assert planned.steps == (Step.PLANNED, Step.ROUTED, Step.COMPLETED)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (combine(name="delay"), "delay is a routed model"),
        (combine(members=("delay", "delay")), "delay more often"),
        (combine(members=("delay", "snow", "rain")), "found snow, rain without a route"),
        (combine(method=Method.STACKING), "expected a method of average, weighted, found stacking"),
        (combine(method=Method.SINGLE), "expected a method of average, weighted, found single"),
        (combine(weights={"delay": 1.0, "weather": 1.0}), "expected no weights with the method average"),
        (combine(method=Method.WEIGHTED), "found weights for none"),
        (combine(method=Method.WEIGHTED, weights={"delay": 1.0}), "found weights for delay"),
        (combine(method=Method.WEIGHTED, weights={"delay": 0.0, "weather": 0.0}), "positive sum"),
        (combine(method=Method.WEIGHTED, weights={"delay": 2.0, "weather": -1.0}), "at least 0"),
        (combine(missing_policy=Quorum(quorum=3)), "expected a quorum of at most 2"),
    ],
)
def test_an_ensemble_that_could_not_answer_is_refused(request_, expected):
    assert expected in reason_of(request_, TWO)


def test_a_weighted_ensemble_is_defined():
    assert isinstance(
        plan(combine(method=Method.WEIGHTED, weights={"delay": 2.0, "weather": 1.0}), TWO), Plan
    )


def test_members_must_answer_the_same_question():
    given = known(routes=[route("delay"), route("weather", classes=["sun", "rain"])])

    assert "one question" in reason_of(combine(), given)


def test_a_member_whose_last_version_was_retired_is_not_routed():
    given = known(routes=[route("delay"), route("weather", routed_version(weight=0, retired_at=NOW))])

    assert "weather without a route" in reason_of(combine(), given)
