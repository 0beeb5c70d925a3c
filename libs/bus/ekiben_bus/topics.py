"""Create the topics of the contracts on a cluster, or check that they are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaTimeoutError, TopicAlreadyExistsError, for_code

from ekiben_bus.administration import TopicsError, administration, until_visible
from ekiben_bus.cluster import KafkaCluster
from ekiben_bus.forbidden import ForbiddenError, forbidden
from ekiben_bus.leaders import until_led
from ekiben_bus.naming import Naming
from ekiben_bus.principals import ANONYMOUS, principal_of
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.topic_plan import Drift, FoundTopic, Plan, Shortfall, WantedTopic, plan, wanted_topics
from ekiben_contracts.topics import TOPICS, Topic


class MissingTopicsError(TopicsError):
    """Some topics do not exist. Create them: `ekiben topics apply`."""


class TooFewPartitionsError(TopicsError):
    """Some topics have too few partitions. Adding some moves keys, so it is left to a person."""

    def __init__(self, shortfalls: Sequence[Shortfall]) -> None:
        super().__init__(
            "; ".join(map(str, shortfalls)) + ". No topic was changed. Add partitions while nobody writes "
            "(a key may move to another partition), or use another topic prefix"
        )
        self.shortfalls = tuple(shortfalls)


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What was created, what was there before, and which settings differ from the contracts."""

    created: tuple[str, ...]
    existing: tuple[str, ...]
    drifts: tuple[Drift, ...]


async def apply_topics(
    settings: KafkaSettings,
    naming: Naming | None = None,
    *,
    topics: Iterable[Topic] = TOPICS,
    partitions: Mapping[str, int] | None = None,
) -> TopicReport:
    """Create what is missing and wait until it can be used. Doing it again changes nothing.

    Whoever begins to write on return loses nothing: every leader serves its partitions by then.
    Settings that differ are reported, never altered. Replication is 3, or as many as there are brokers.

    Raises:
        TooFewPartitionsError: a topic has fewer partitions than it needs; nothing was created.
        UnreachableError: no broker answered.
        TopicsError: the cluster refused to create one, or some partition has no leader that serves it.
    """
    async with administration(settings) as admin:
        look = partial(_plan, admin, naming or Naming(), tuple(topics), partitions)
        planned = await look()
        if planned.shortfalls:
            raise TooFewPartitionsError(planned.shortfalls)
        created = await _create(admin, principal_of(settings), planned.missing)
        # looked at again: what was just created takes a moment to be seen, and others may create too
        planned = await until_visible(look, _names_of_missing, "topics")
        if planned.shortfalls:
            raise TooFewPartitionsError(planned.shortfalls)
        await _until_usable(settings, admin, planned.existing)
        existing = tuple(name for name in planned.existing if name not in created)
        return TopicReport(created, existing, planned.drifts)


async def verify_topics(
    settings: KafkaSettings,
    naming: Naming | None = None,
    *,
    topics: Iterable[Topic] = TOPICS,
    partitions: Mapping[str, int] | None = None,
) -> TopicReport:
    """Check that all are there with enough partitions; create none.

    Raises:
        MissingTopicsError, TooFewPartitionsError, UnreachableError: as they say.
    """
    planned = await compare_topics(settings, naming, topics=topics, partitions=partitions)
    if planned.missing:
        names = ", ".join(topic.name for topic in planned.missing)
        raise MissingTopicsError(
            f"expected these topics, found none of them: {names}. Try: ekiben topics apply{_hidden(settings)}"
        )
    if planned.shortfalls:
        raise TooFewPartitionsError(planned.shortfalls)
    return TopicReport((), planned.existing, planned.drifts)


def _hidden(settings: KafkaSettings) -> str:
    """Kafka tells of no topic to those who may not describe it."""
    principal = principal_of(settings)
    hint = f"; or `ekiben topics acls`: what {principal} may not describe looks missing, too"
    return "" if principal == ANONYMOUS else hint


async def compare_topics(
    settings: KafkaSettings,
    naming: Naming | None = None,
    *,
    topics: Iterable[Topic] = TOPICS,
    partitions: Mapping[str, int] | None = None,
) -> Plan:
    """How the cluster differs from what the contracts want. Changes nothing.

    Raises:
        UnreachableError: no broker answered.
    """
    async with administration(settings) as admin:
        return await _plan(admin, naming or Naming(), topics, partitions)


async def _plan(
    admin: AIOKafkaAdminClient, naming: Naming, topics: Iterable[Topic], partitions: Mapping[str, int] | None
) -> Plan:
    brokers = len((await admin.describe_cluster())["brokers"])
    wanted = wanted_topics(topics, naming, brokers=brokers, partitions=partitions)
    return plan(wanted, await _found(admin, {topic.name: tuple(topic.configs) for topic in wanted}))


async def _found(admin: AIOKafkaAdminClient, wanted: Mapping[str, Sequence[str]]) -> dict[str, FoundTopic]:
    """Those of the wanted topics that exist, with the settings that were asked for."""
    counts = await _partition_counts(admin)
    present = {name: settings for name, settings in wanted.items() if name in counts}
    configs = await _configs(admin, present)
    return {name: FoundTopic(counts[name], configs.get(name, {})) for name in present}


async def _partition_counts(admin: AIOKafkaAdminClient) -> dict[str, int]:
    # all topics, never by name: asking by name would create one where automatic creation is on
    return {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}


async def _configs(
    admin: AIOKafkaAdminClient, wanted: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, str]]:
    if not wanted:
        return {}
    asked = [
        ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(settings))
        for name, settings in wanted.items()
    ]
    return {
        resource["resource_name"]: {
            entry["config_names"]: entry["config_value"] for entry in resource["config_entries"]
        }
        for response in await admin.describe_configs(asked)
        for resource in response.to_object()["resources"]
    }


async def _create(
    admin: AIOKafkaAdminClient, principal: str, missing: Sequence[WantedTopic]
) -> tuple[str, ...]:
    """Ask for them; the names of those that were created, not by another process a moment before."""
    if not missing:
        return ()
    new = [
        NewTopic(topic.name, topic.partitions, topic.replicas, topic_configs=dict(topic.configs))
        for topic in missing
    ]
    response = await admin.create_topics(new)
    created: list[str] = []
    refused: list[str] = []
    for outcome in response.to_object()["topic_errors"]:
        error = for_code(outcome["error_code"])
        if outcome["error_code"] == 0:
            created.append(outcome["topic"])
        elif error is not TopicAlreadyExistsError:  # else another process was quicker
            named = forbidden(error(), principal, "Create", outcome["topic"])
            other = f"{error.__name__}: {outcome['error_message']}"
            refused.append(f"{outcome['topic']}: {named if isinstance(named, ForbiddenError) else other}")
    if refused:
        raise TopicsError(f"expected to create these topics, the cluster refused: {'; '.join(refused)}")
    return tuple(created)


def _names_of_missing(planned: Plan) -> str:
    return ", ".join(topic.name for topic in planned.missing)


async def _until_usable(settings: KafkaSettings, admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    counts = await _partition_counts(admin)
    places = [TopicPartition(name, number) for name in names for number in range(counts[name])]
    try:
        await until_led(KafkaCluster(settings), places)
    except KafkaTimeoutError as error:
        raise TopicsError(
            "expected every partition to be served by its leader, found some that are not: is a broker of "
            "the cluster away, or is somebody deleting topics? Try again once all brokers run"
        ) from error
