"""Which grants follow from the topics, and how a cluster's differ from them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_bus.acl_plan import ROLES, Binding, Operation, Pattern, Resource, plan_acls, wanted_acls
from ekiben_bus.naming import Naming
from ekiben_contracts.topics import (
    DEPLOYER,
    DEPLOYMENT_EVENTS,
    GATEWAY,
    MODEL_OUTPUTS,
    PREDICTION_REQUESTS,
    ROUTES,
    SYNTHESIZER,
    TOPICS,
    USERS,
)

STAGING = Naming("staging.")
WANTED = wanted_acls(TOPICS, STAGING)


def held_by(role, *, of=WANTED):
    return {
        (each.resource.value, each.name.removeprefix("staging."), each.operation.value)
        for each in of
        if each.principal == f"User:{role}"
    }


def test_a_service_that_reads_one_stream_needs_just_this():
    topics = ("ekiben.model-outputs", "ekiben.model-outputs.synthesizer.replay", "ekiben.routes")
    written = ("ekiben.model-outputs.synthesizer.dlq", "ekiben.prediction-results")
    assert held_by(SYNTHESIZER) == {
        *(("topic", name, "read") for name in topics),
        *(("topic", name, "write") for name in written),
        *(("group", name, "read") for name in ("synthesizer", "synthesizer.replay")),
    }


def test_one_that_retries_and_parks_reads_and_writes_these_lanes_by_a_group_each():
    side = f"{PREDICTION_REQUESTS.name}.{GATEWAY}"
    held = held_by(GATEWAY)
    for lane in ("retry-5s", "retry-1m", "retry-10m", "parked"):
        assert {("topic", f"{side}.{lane}", "read"), ("topic", f"{side}.{lane}", "write")} <= held
        assert ("group", f"{GATEWAY}.{lane}", "read") in held
    assert ("topic", f"{side}.dlq", "write") in held
    assert ("topic", f"{side}.dlq", "read") not in held
    assert ("topic", f"{side}.replay", "write") not in held


def test_what_is_kept_as_a_table_is_read_without_a_group_or_a_dead_letter_topic():
    held = held_by(DEPLOYER, of=wanted_acls([ROUTES, DEPLOYMENT_EVENTS], Naming("staging.")))
    names = (ROUTES.name, DEPLOYMENT_EVENTS.name)
    assert held == {("topic", name, operation) for name in names for operation in ("read", "write")}


def test_nobody_writes_or_reads_what_the_topics_do_not_say():
    assert not any(name == MODEL_OUTPUTS.name for _, name, _ in held_by(USERS))
    may = {(each.principal, each.operation) for each in WANTED if each.name == "staging.ekiben.routes"}
    writers = {principal for principal, operation in may if operation is Operation.WRITE}
    assert writers == {f"User:{DEPLOYER}"}


def test_only_the_groups_that_users_choose_are_granted_by_their_beginning():
    prefixed = [each for each in WANTED if each.pattern is Pattern.PREFIXED]
    assert [(each.principal, each.resource, each.name) for each in prefixed] == [
        ("User:users", Resource.GROUP, "staging.users.")
    ]


def test_what_an_operation_implies_is_not_granted_again():
    stronger = {Operation.READ, Operation.WRITE, Operation.DELETE}
    strong = {(each.principal, each.resource, each.name) for each in WANTED if each.operation in stronger}
    described = {
        (each.principal, each.resource, each.name) for each in WANTED if each.operation is Operation.DESCRIBE
    }
    assert described
    assert not strong & described


def test_principals_may_have_other_names():
    named = wanted_acls(TOPICS, Naming(), {GATEWAY: "User:CN=gw,O=acme"})
    assert {each.principal for each in named} == {
        "User:CN=gw,O=acme",
        *(f"User:{role}" for role in ROLES if role != GATEWAY),
    }


@given(st.sets(st.sampled_from(WANTED)))
def test_what_is_there_is_not_missing_and_nothing_else_is(standing):
    plan = plan_acls(WANTED, standing, STAGING)
    assert set(plan.existing) == standing
    assert set(plan.missing) == set(WANTED) - standing
    assert plan.beyond == ()


ANYBODY = Binding("User:*", Resource.TOPIC, "staging.", Operation.READ, Pattern.PREFIXED)


@pytest.mark.parametrize(
    "beyond",
    [
        ANYBODY,
        replace(ANYBODY, pattern=Pattern.LITERAL, name="*"),
        Binding("User:synthesizer", Resource.TOPIC, "staging.payroll", Operation.READ),
        Binding("User:synthesizer", Resource.TOPIC, "stag", Operation.READ, Pattern.PREFIXED),
        Binding("User:synthesizer", Resource.TRANSACTIONAL_ID, "*", Operation.WRITE),
        replace(WANTED[0], host="10.0.0.1"),
    ],
)
def test_what_reaches_our_topics_or_our_principals_unasked_is_told(beyond):
    assert plan_acls(WANTED, [*WANTED, beyond], STAGING).beyond == (beyond,)


@pytest.mark.parametrize(
    "others",
    [
        Binding("User:payroll", Resource.TOPIC, "payroll", Operation.READ),
        replace(ANYBODY, name="production."),
        Binding("User:synthesizer", Resource.TOPIC, "payroll", Operation.READ),
        Binding("User:payroll", Resource.GROUP, "staging.ekiben.routes", Operation.READ),
    ],
)
def test_what_concerns_neither_is_nobodys_business_here(others):
    assert plan_acls(WANTED, [*WANTED, others], STAGING).beyond == ()


def test_another_environment_with_the_same_principals_is_its_own_to_judge():
    theirs = wanted_acls(TOPICS, Naming("production."))
    assert set(theirs) - set(WANTED)
    assert plan_acls(WANTED, [*WANTED, *theirs], STAGING).beyond == ()


GRANT = Binding("User:users", Resource.TOPIC, "staging.ekiben.prediction-requests", Operation.WRITE)
DENY = replace(GRANT, allows=False)


@pytest.mark.parametrize(
    "deny",
    [
        DENY,
        replace(DENY, principal="User:*"),
        replace(DENY, operation=Operation.ALL),
        replace(DENY, operation=Operation.DESCRIBE),  # comes with writing, and is needed for it
        replace(DENY, name="staging.", pattern=Pattern.PREFIXED),
        replace(DENY, name="*", host="10.0.0.1"),
    ],
)
def test_what_denies_a_grant_that_is_there_is_told_apart(deny):
    assert GRANT in WANTED
    plan = plan_acls(WANTED, [*WANTED, deny], STAGING)
    assert (plan.missing, plan.denying, plan.beyond) == ((), (deny,), ())


@pytest.mark.parametrize(
    "deny", [replace(DENY, principal="User:stranger"), replace(DENY, operation=Operation.ALTER)]
)
def test_what_denies_nothing_that_is_needed_is_beyond(deny):
    plan = plan_acls(WANTED, [*WANTED, deny], STAGING)
    assert (plan.denying, plan.beyond) == ((), (deny,))
