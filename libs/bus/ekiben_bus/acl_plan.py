"""Who may do what on a cluster: access control lists from the contracts, and how a cluster differs from them.

Pure decisions. One principal for each service, one for the applications that ask, one for the people
who operate. Every grant names one topic or group; what an operation implies is not granted again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ekiben_bus.lanes import consumer_group, lanes
from ekiben_bus.naming import Naming
from ekiben_contracts.topics import (
    KEPT_FOR_EVER,
    OPERATORS,
    PEOPLE,
    REPLAY,
    SERVICES,
    USERS,
    Topic,
    side_purposes,
)

ROLES = (*SERVICES, *PEOPLE)
"""Who needs a principal of its own."""
CLUSTER_NAME = "kafka-cluster"
"""Kafka's name of the one resource that is the cluster itself."""
EVERYBODY = "User:*"
"""Kafka's own name of every principal."""


class Resource(StrEnum):
    """What may be allowed or refused to somebody."""

    TOPIC = "topic"
    GROUP = "group"
    CLUSTER = "cluster"
    TRANSACTIONAL_ID = "transactional-id"
    OTHER = "other"


class Operation(StrEnum):
    """What somebody may do to it. Read, write and delete imply describe."""

    READ = "read"
    WRITE = "write"
    CREATE = "create"
    DESCRIBE = "describe"
    DESCRIBE_CONFIGS = "describe-configs"
    DELETE = "delete"
    ALTER = "alter"
    ALL = "all"
    OTHER = "other"


_IMPLY_DESCRIBE = (Operation.READ, Operation.WRITE, Operation.DELETE)


class Pattern(StrEnum):
    """Whether a name is meant as it stands, or all that begin with it."""

    LITERAL = "literal"
    PREFIXED = "prefixed"


@dataclass(frozen=True, slots=True, order=True)
class Binding:
    """One line of an access control list. Without `allows` it refuses, whatever else allows."""

    principal: str
    resource: Resource
    name: str
    operation: Operation
    pattern: Pattern = Pattern.LITERAL
    host: str = "*"
    allows: bool = True

    def covers(self, resource: Resource, name: str) -> bool:
        """Whether it is about this resource, maybe among others."""
        if resource is not self.resource:
            return False
        return name.startswith(self.name) if self.pattern is Pattern.PREFIXED else self.name in (name, "*")

    def denies(self, grant: Binding) -> bool:
        """Whether it takes a grant away, from all hosts or from one, or the describe that comes with it."""
        if self.allows or not self.covers(grant.resource, grant.name):
            return False
        operations = {Operation.ALL, grant.operation}
        if grant.operation in _IMPLY_DESCRIBE:
            operations.add(Operation.DESCRIBE)
        return self.operation in operations and self.principal in (grant.principal, EVERYBODY)

    def is_within(self, prefix: str) -> bool:
        """Whether it is about names with this prefix, maybe among others."""
        if self.pattern is Pattern.PREFIXED and prefix.startswith(self.name):
            return True
        return self.name == "*" or self.name.startswith(prefix)


@dataclass(frozen=True, slots=True)
class AclPlan:
    """What is to be created, what is there, and what is there beyond the contracts: it stays unless removed.

    `denying` takes away what the contracts need, however often it is granted. `beyond` is about names of
    the contracts, or about their principals within the environment: the rest is not ours to judge.
    """

    missing: tuple[Binding, ...]
    existing: tuple[Binding, ...]
    denying: tuple[Binding, ...]
    beyond: tuple[Binding, ...]


def principals_of(named: Mapping[str, str] | None = None) -> dict[str, str]:
    """The principal of every role: `User:` and its name, unless it is named otherwise."""
    return {role: (named or {}).get(role, f"User:{role}") for role in ROLES}


def wanted_acls(
    topics: Iterable[Topic], naming: Naming, principals: Mapping[str, str] | None = None
) -> tuple[Binding, ...]:
    """Every grant that the contracts need on a cluster, and no other, in order."""
    names, found = principals_of(principals), set[Binding]()
    for role, resource, name, operation in _grants(tuple(topics), naming):
        found.add(Binding(names[role], resource, name, operation))
    readable = naming.group(f"{USERS}.")
    found.add(Binding(names[USERS], Resource.GROUP, readable, Operation.READ, Pattern.PREFIXED))
    return tuple(sorted(each for each in found if not _is_implied(each, found)))


def plan_acls(wanted: Sequence[Binding], found: Iterable[Binding], naming: Naming) -> AclPlan:
    """Compare."""
    standing = frozenset(found)
    denying = {each for each in standing if any(each.denies(grant) for grant in wanted)}
    others = standing.difference(wanted, denying)
    return AclPlan(
        missing=tuple(each for each in wanted if each not in standing),
        existing=tuple(each for each in wanted if each in standing),
        denying=tuple(sorted(denying)),
        beyond=tuple(sorted(each for each in others if _concerns(each, wanted, naming.prefix))),
    )


Grant = tuple[str, Resource, str, Operation]
"""A role, and what it may do to what."""


def _grants(topics: Sequence[Topic], naming: Naming) -> Iterator[Grant]:
    for topic in topics:
        name = naming.topic(topic)
        yield from ((role, Resource.TOPIC, name, Operation.WRITE) for role in topic.writers)
        yield from ((role, Resource.TOPIC, name, Operation.READ) for role in topic.read_by)
        for service in topic.readers:
            if not topic.compacted and service not in PEOPLE:
                yield from _consuming(topic, service, naming)
        yield from _keeping(name)
    # to tell what is missing on the cluster; what is missing is created by whoever may do everything
    yield OPERATORS, Resource.CLUSTER, CLUSTER_NAME, Operation.DESCRIBE


def _consuming(topic: Topic, service: str, naming: Naming) -> Iterator[Grant]:
    """What a service needs to read a stream by all its lanes, and those who see to what it left behind."""
    dead_letters = naming.dead_letters(topic, service)
    yield service, Resource.TOPIC, dead_letters, Operation.WRITE
    yield OPERATORS, Resource.TOPIC, dead_letters, Operation.READ
    for lane in lanes(topic, service, naming):
        for moved_to in (lane.retry_to, lane.park_to):
            if moved_to is not None:
                yield service, Resource.TOPIC, moved_to, Operation.WRITE
        # who sets a group beyond a gap needs what its members need: Kafka asks no less of a commit
        for role in (service, OPERATORS):
            yield role, Resource.TOPIC, lane.topic, Operation.READ
            yield role, Resource.GROUP, consumer_group(lane, service, naming), Operation.READ
    yield OPERATORS, Resource.TOPIC, naming.side(topic, service, REPLAY), Operation.WRITE
    for purpose in side_purposes(topic, service):
        side = naming.side(topic, service, purpose)
        yield from _keeping(side)
        if purpose in KEPT_FOR_EVER:
            # for `ekiben dlq trim`: to Kafka, records are deleted by whoever may delete their topic
            yield OPERATORS, Resource.TOPIC, side, Operation.DELETE


def _keeping(topic: str) -> Iterator[Grant]:
    """What it takes to create a topic, and to tell whether it is right."""
    for operation in (Operation.CREATE, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS):
        yield OPERATORS, Resource.TOPIC, topic, operation


def _is_implied(binding: Binding, others: set[Binding]) -> bool:
    if binding.operation is not Operation.DESCRIBE:
        return False
    return any(
        Binding(binding.principal, binding.resource, binding.name, each) in others for each in _IMPLY_DESCRIBE
    )


def _concerns(found: Binding, wanted: Sequence[Binding], prefix: str) -> bool:
    if any(found.covers(each.resource, each.name) for each in wanted):
        return True
    # another environment's grants to the same principal are its own to judge
    return found.is_within(prefix) and any(found.principal == each.principal for each in wanted)
