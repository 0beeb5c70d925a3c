"""The ACLs of the contracts on the real authorizer: who may do what, tried by each with its own login."""

from __future__ import annotations

import asyncio

import pytest

from ekiben_bus.acl_plan import Binding, Operation, Pattern, Resource
from ekiben_bus.acls import MayNotGrantError, apply_acls, compare_acls
from ekiben_bus.administration import TopicsError
from ekiben_bus.naming import Naming
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.topics import apply_topics
from integration.security.granting import give, take
from integration.security.probing import as_table, readable, usable, writable
from integration.security.secure_kafka import ADMIN, STRANGER, SecureKafka

pytestmark = pytest.mark.kafka
NAMING = Naming("matrix.")
EVERYBODY = {
    "inference-gateway": "gateway",
    "inference-gateway-shadow": "shadow",
    **{role: role for role in ("synthesizer", "deployer", "trainer", "users", "operators", STRANGER)},
}
"""Each principal, and its column."""


@pytest.fixture(scope="module")
def granted(secure_kafka: SecureKafka) -> tuple[Binding, ...]:
    """Topics and ACLs of an environment, by the super user."""
    return asyncio.run(_grant(secure_kafka.scram(ADMIN)))


async def _grant(admin: KafkaSettings) -> tuple[Binding, ...]:
    await apply_topics(admin, NAMING)
    planned = await apply_acls(admin, NAMING)
    # a grant on the cluster has no prefix: whoever came before us on this broker may have made it
    return (*planned.missing, *planned.existing)


async def test_each_principal_may_do_what_the_contracts_say_and_nothing_else(
    secure_kafka, granted, show_table
):
    topics = sorted({each.name for each in granted if each.resource is Resource.TOPIC})
    groups = sorted({each.name for each in granted if each.resource is Resource.GROUP})
    writable(secure_kafka.scram(ADMIN), topics)  # so that there is something to read
    found = {name: dict[str, str]() for name in [*topics, *groups]}
    for role in EVERYBODY:
        login = secure_kafka.scram(role)
        read, written = readable(login, topics), writable(login, topics)
        joined = await usable(login, groups)
        for name, cells in found.items():
            cells[role] = "R" * (name in read) + "W" * (name in written) + "G" * (name in joined) or "-"
    show_table("Who may Read, Write, join a Group: tried on the authorizer", as_table(short(found)))
    assert found == {name: {role: expected(granted, name, role) for role in EVERYBODY} for name in found}


def expected(granted, name, role):
    may = {
        (each.resource, each.operation)
        for each in granted
        if (each.principal, each.name) == (f"User:{role}", name)
    }
    letters = {
        "R": (Resource.TOPIC, Operation.READ),
        "W": (Resource.TOPIC, Operation.WRITE),
        "G": (Resource.GROUP, Operation.READ),
    }
    return "".join(letter for letter, grant in letters.items() if grant in may) or "-"


def short(found):
    return {
        name.removeprefix(NAMING.prefix): {EVERYBODY[role]: cell for role, cell in cells.items()}
        for name, cells in found.items()
    }


async def test_granting_again_changes_nothing_and_tells_what_somebody_else_granted(secure_kafka, granted):
    admin = secure_kafka.scram(ADMIN)
    beyond = Binding("User:stranger", Resource.TOPIC, NAMING.prefix, Operation.READ, Pattern.PREFIXED)
    give(admin, beyond)
    try:
        again = await apply_acls(admin, NAMING)
    finally:
        take(admin, beyond)
    assert (again.missing, set(again.existing), again.beyond) == ((), set(granted), (beyond,))


async def test_operators_see_the_grants_and_cannot_widen_their_own(secure_kafka, granted):
    operators = secure_kafka.scram("operators")
    assert set((await compare_acls(operators, NAMING)).existing) == set(granted)
    with pytest.raises(MayNotGrantError, match=r"User:operators.*Alter on the cluster.*super user"):
        await apply_acls(operators, Naming("another."))


async def test_who_may_not_see_the_grants_is_told_who_and_what(secure_kafka, granted):
    with pytest.raises(MayNotGrantError, match=r"User:synthesizer.*Describe on the cluster"):
        await compare_acls(secure_kafka.scram("synthesizer"), NAMING)


async def test_operators_apply_the_topics_of_their_environment_and_of_no_other(secure_kafka, granted):
    report = await apply_topics(secure_kafka.scram("operators"), NAMING)
    assert (report.created, len(report.existing)) == ((), 30)
    with pytest.raises(TopicsError, match="TopicAuthorizationFailedError"):
        await apply_topics(secure_kafka.scram("operators"), Naming("another."))
