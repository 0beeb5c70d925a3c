"""What a principal may really do: tried with its own login, by a client that has no Ekiben in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from time import monotonic

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import GroupAuthorizationFailedError
from aiokafka.protocol.commit import OffsetCommitRequest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

from ekiben_bus.connection import client_options
from ekiben_bus.settings import KafkaSettings

_DEADLINE_S = 30.0
_REFUSED = KafkaError.TOPIC_AUTHORIZATION_FAILED


def login_of(settings: KafkaSettings) -> dict[str, object]:
    """The same login, as librdkafka is told it."""
    assert settings.sasl_password is not None
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
        "sasl.mechanism": settings.sasl_mechanism,
        "sasl.username": settings.sasl_username,
        "sasl.password": settings.sasl_password.get_secret_value(),
        "ssl.ca.location": settings.ssl_cafile,
        "log_level": 0,
    }


def writable(settings: KafkaSettings, topics: Sequence[str]) -> set[str]:
    """Those of the topics that take a record from it."""
    outcomes: dict[str, bool] = {}

    def note(error: KafkaError | None, topic: str) -> None:
        assert error is None or error.code() == _REFUSED, error
        outcomes[topic] = error is None

    producer = Producer({**login_of(settings), "linger.ms": 5, "message.timeout.ms": 20_000})
    for topic in topics:
        producer.produce(
            topic, b"{}", b"key", 0, on_delivery=lambda error, _, topic=topic: note(error, topic)
        )
    assert producer.flush(_DEADLINE_S) == 0
    assert outcomes.keys() == set(topics)
    return {topic for topic, is_written in outcomes.items() if is_written}


def readable(settings: KafkaSettings, topics: Sequence[str]) -> set[str]:
    """Those of the topics, none of them empty, of which it is given a record."""
    consumer = Consumer({**login_of(settings), "group.id": "unused", "enable.auto.commit": False})
    outcomes: dict[str, bool] = {}
    try:
        # of what it may not even describe it hears nothing more: reading it implies that
        for topic in topics:
            error = consumer.list_topics(topic, _DEADLINE_S).topics[topic].error
            assert error is None or error.code() == _REFUSED, error
            if error is not None:
                outcomes[topic] = False
        consumer.assign([TopicPartition(topic, 0, 0) for topic in topics if topic not in outcomes])
        deadline = monotonic() + _DEADLINE_S
        while outcomes.keys() != set(topics):
            assert monotonic() < deadline, set(topics) - outcomes.keys()
            message = consumer.poll(1.0)
            if message is None or message.topic() is None:
                continue
            error = message.error()
            assert error is None or error.code() == _REFUSED, error
            outcomes[message.topic()] = error is None
    finally:
        consumer.close()
    return {topic for topic, is_read in outcomes.items() if is_read}


async def usable(settings: KafkaSettings, groups: Iterable[str]) -> set[str]:
    """Those of the consumer groups that it may join."""
    client = AIOKafkaClient(**client_options(settings))
    await client.bootstrap()
    try:
        return {group for group in groups if await _may_join(client, group)}
    finally:
        await client.close()


async def _may_join(client: AIOKafkaClient, group: str) -> bool:
    """Commit for it, which takes what joining takes; of a topic that is not there, so that none is harmed."""
    nothing = [("no-such-topic", [(0, 0, "")])]
    request = OffsetCommitRequest(group, -1, "", -1, nothing)
    # any broker will do: who may not is told before who is to be asked
    answer = await client.send(client.get_random_node(), request)
    ((_, [(_, code)]),) = answer.topics
    return code != GroupAuthorizationFailedError.errno


def as_table(rows: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Lines of plain text: one row a resource, one column a principal."""
    columns = list(next(iter(rows.values())))
    width = max(map(len, rows))
    head = "  ".join([" " * width, *columns])
    body = [
        "  ".join([f"{name:<{width}}", *(f"{cells[column]:<{len(column)}}" for column in columns)]).rstrip()
        for name, cells in rows.items()
    ]
    return [head, *body]
