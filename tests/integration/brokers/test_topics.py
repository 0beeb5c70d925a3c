import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient, OffsetSpec

from ekiben_bus.acls import NoAuthorizerError, compare_acls
from ekiben_bus.administration import UnreachableError
from ekiben_bus.brokers.ports import free_port
from ekiben_bus.connection import client_options
from ekiben_bus.naming import Naming
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.topics import (
    MissingTopicsError,
    TooFewPartitionsError,
    TopicsError,
    apply_topics,
    verify_topics,
)
from ekiben_contracts.topics import GATEWAY, HEADROOM, PREDICTION_REQUESTS, RECORD_LIMIT, TOPICS

pytestmark = pytest.mark.kafka


@pytest.fixture
async def admin(kafka_settings):
    client = AIOKafkaAdminClient(**client_options(kafka_settings))
    await client.start()
    yield client
    await client.close()


@pytest.fixture
async def producer(kafka_settings):
    limit = RECORD_LIMIT + 4 * HEADROOM
    async with AIOKafkaProducer(**client_options(kafka_settings), max_request_size=limit) as client:
        yield client


@pytest.fixture
def naming(topic_prefix):
    return Naming(topic_prefix)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """A broker learns what its controller did a moment later: wait until it has."""
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.02)


async def test_all_topics_are_there_after_they_were_applied(kafka_settings, naming):
    report = await verify_topics(kafka_settings, naming)
    assert {naming.topic(topic) for topic in TOPICS} <= set(report.existing)
    assert naming.dead_letters(PREDICTION_REQUESTS, GATEWAY) in report.existing
    assert report.drifts == ()


async def test_every_leader_serves_its_partitions_once_topics_were_applied(kafka_settings, topic_prefix):
    client = AdminClient({"bootstrap.servers": kafka_settings.bootstrap_servers})
    report = await apply_topics(kafka_settings, Naming(f"{topic_prefix}new."))
    topics = client.list_topics(timeout=30).topics
    places = [Place(name, number) for name in report.created for number in topics[name].partitions]
    answers = client.list_offsets(
        dict.fromkeys(places, OffsetSpec.earliest())
    )  # asks once: raises if refused
    assert [answer.result(30).offset for answer in answers.values()] == [0] * len(places)
    assert len(places) > len(report.created) > 0


async def test_partitions_that_no_leader_serves_are_not_called_applied(
    kafka_settings, topic_prefix, monkeypatch
):
    async def in_vain(*_: object) -> None:
        raise KafkaTimeoutError

    monkeypatch.setattr("ekiben_bus.topics.until_led", in_vain)
    with pytest.raises(TopicsError, match="served by its leader"):
        await apply_topics(kafka_settings, Naming(topic_prefix))


async def test_applying_again_changes_nothing(kafka_settings, naming):
    before = await verify_topics(kafka_settings, naming)
    again = await apply_topics(kafka_settings, naming)
    assert (again.created, again.existing, again.drifts) == ((), before.existing, ())


async def test_two_that_apply_at_once_create_each_topic_once(kafka_settings, topic_prefix):
    naming = Naming(f"{topic_prefix}twice.")
    one, other = await asyncio.gather(*(apply_topics(kafka_settings, naming) for _ in range(2)))
    assert not set(one.created) & set(other.created)
    assert {*one.created, *other.created} == {*one.created, *one.existing}


async def test_a_deleted_topic_is_missed_by_name_and_applied_again(admin, kafka_settings, naming):
    name = naming.topic(PREDICTION_REQUESTS)
    await admin.delete_topics([name])

    async def gone() -> bool:
        return name not in await admin.list_topics()

    await until(gone)
    with pytest.raises(MissingTopicsError, match=f"{name}\\. Try: ekiben topics apply"):
        await verify_topics(kafka_settings, naming)
    assert (await apply_topics(kafka_settings, naming)).created == (name,)


async def test_a_setting_that_drifted_is_reported_and_left_alone(admin, kafka_settings, naming):
    name = naming.topic(PREDICTION_REQUESTS)
    drifted = {"retention.ms": "1000", "max.message.bytes": str(RECORD_LIMIT)}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=drifted)])

    async def reported() -> bool:
        drifts = (await apply_topics(kafka_settings, naming)).drifts
        return (name, "retention.ms", "1000") in {(each.topic, each.setting, each.found) for each in drifts}

    await until(reported)
    assert await reported()


async def test_a_topic_that_is_too_narrow_is_refused_and_none_is_created(admin, kafka_settings, topic_prefix):
    naming = Naming(f"{topic_prefix}narrow.")
    name = naming.topic(PREDICTION_REQUESTS)
    await admin.create_topics([NewTopic(name, 2, 1)])

    async def visible() -> bool:
        return name in await admin.list_topics()

    await until(visible)
    with pytest.raises(TooFewPartitionsError, match=f"{name}: expected at least 4 partitions .*, found 2"):
        await apply_topics(kafka_settings, naming)
    assert [topic for topic in await admin.list_topics() if topic.startswith(naming.prefix)] == [name]


async def test_partitions_can_be_chosen_and_what_they_flow_into_follows(kafka_settings, topic_prefix, admin):
    naming = Naming(f"{topic_prefix}wide.")
    await apply_topics(kafka_settings, naming, partitions={PREDICTION_REQUESTS.name: 6})
    counts = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
    assert counts[naming.topic(PREDICTION_REQUESTS)] == 6
    assert counts[naming.dead_letters(PREDICTION_REQUESTS, GATEWAY)] == 6


async def test_a_record_at_the_limit_fits_and_so_does_its_dead_letter(producer, naming):
    overhead = 200
    value = b"x" * (RECORD_LIMIT - overhead)
    written = await producer.send_and_wait(naming.topic(PREDICTION_REQUESTS), value, partition=3)
    assert written.topic_partition == TopicPartition(naming.topic(PREDICTION_REQUESTS), 3)
    dlq = naming.dead_letters(PREDICTION_REQUESTS, GATEWAY)
    headers = [("dlq-error-stack", b"s" * (HEADROOM // 2))]
    assert (await producer.send_and_wait(dlq, value, partition=3, headers=headers)).offset == 0


async def test_a_record_beyond_the_limit_is_refused_by_the_broker(producer, naming):
    with pytest.raises(MessageSizeTooLargeError):
        await producer.send_and_wait(naming.topic(PREDICTION_REQUESTS), b"x" * (RECORD_LIMIT + 1))


async def test_where_nobody_answers_the_address_is_named():
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(UnreachableError, match=address):
        await verify_topics(KafkaSettings(bootstrap_servers=address, security_protocol="PLAINTEXT"))


async def test_a_cluster_that_refuses_nobody_has_no_grants_to_tell(kafka_settings):
    with pytest.raises(NoAuthorizerError, match=r"expected an authorizer.*found none.*authorizer.class.name"):
        await compare_acls(kafka_settings)
