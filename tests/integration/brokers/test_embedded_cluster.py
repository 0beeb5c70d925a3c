"""Three real brokers: what is acknowledged outlives one of them, however it ends."""

from __future__ import annotations

import asyncio

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from ekiben_bus.brokers.embedded_cluster import EmbeddedCluster
from ekiben_bus.brokers.errors import BrokerStartError
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.topics import apply_topics, compare_topics
from ekiben_contracts.topics import PREDICTION_REQUESTS
from integration.brokers.processes import lives, wait_until

TOPIC = PREDICTION_REQUESTS.name
DEADLINE_S = 60


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with EmbeddedCluster(tmp_path_factory.mktemp("cluster")) as cluster:
        settings = KafkaSettings(bootstrap_servers=cluster.bootstrap_servers)
        asyncio.run(apply_topics(settings, topics=[PREDICTION_REQUESTS]))
        yield cluster


def partitions(cluster):
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers})
    return admin.list_topics(TOPIC, timeout=DEADLINE_S).topics[TOPIC].partitions.values()


def write(cluster, count):
    """One record after the other to every partition in turn; returns once all are acknowledged."""
    producer = Producer({"bootstrap.servers": cluster.bootstrap_servers, "acks": "all", "linger.ms": 0})
    failures = []
    for number in range(count):
        producer.produce(
            TOPIC,
            str(number),
            partition=number % PREDICTION_REQUESTS.partitions,
            on_delivery=lambda error, _: failures.append(error) if error else None,
        )
    assert producer.flush(DEADLINE_S) == 0
    assert failures == []


def read_all(cluster):
    """How many records there are, read up to the end of every partition."""
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap_servers, "group.id": "nobody"})
    places = [TopicPartition(TOPIC, number, OFFSET_BEGINNING) for number in range(4)]
    ends = sum(consumer.get_watermark_offsets(place, timeout=DEADLINE_S)[1] for place in places)
    consumer.assign(places)
    found = []
    wait_until(lambda: found.extend(consumer.consume(1000, timeout=0.2)) or len(found) >= ends)
    consumer.close()
    return len(found)


def all_in_sync(cluster):
    return all(len(each.isrs) == 3 for each in partitions(cluster))


def test_its_topics_are_on_all_three_and_need_two_of_them(cluster):
    assert [len(each.replicas) for each in partitions(cluster)] == [3] * PREDICTION_REQUESTS.partitions
    settings = KafkaSettings(bootstrap_servers=cluster.bootstrap_servers)
    planned = asyncio.run(compare_topics(settings, topics=[PREDICTION_REQUESTS]))
    assert planned.drifts == ()  # min.insync.replicas is among what is compared


@pytest.mark.parametrize("end", [EmbeddedCluster.kill, EmbeddedCluster.stop], ids=["hard", "clean"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_nothing_acknowledged_is_lost_with_any_one_broker_and_it_comes_back_in_sync(cluster, number, end):
    wait_until(lambda: all_in_sync(cluster))
    before = read_all(cluster)
    write(cluster, 40)
    pid = cluster.pids[number]
    end(cluster, number)
    assert not lives(pid)
    assert number not in cluster.pids
    write(cluster, 40)
    assert read_all(cluster) == before + 80
    cluster.start(number)
    wait_until(lambda: all_in_sync(cluster))
    assert read_all(cluster) == before + 80


def test_with_two_away_nothing_is_acknowledged(cluster):
    wait_until(lambda: all_in_sync(cluster))
    cluster.kill(1)
    cluster.kill(2)
    options = {"bootstrap.servers": cluster.bootstrap_servers, "acks": "all", "message.timeout.ms": 3000}
    outcomes = []
    producer = Producer(options)
    producer.produce(TOPIC, b"", partition=0, on_delivery=lambda error, _: outcomes.append(error))
    producer.flush(DEADLINE_S)
    assert len(outcomes) == 1
    assert outcomes[0] is not None
    cluster.start(1, 2)
    write(cluster, 4)


def test_one_that_cannot_start_leaves_none_running(tmp_path):
    cluster = EmbeddedCluster(tmp_path, heap_mb=1)
    with pytest.raises(BrokerStartError, match="Too small maximum heap"):
        cluster.start()
    assert cluster.pids == {}
