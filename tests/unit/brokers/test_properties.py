from pathlib import Path

import pytest

from ekiben_bus.brokers.containers import container_environment
from ekiben_bus.brokers.properties import (
    CLUSTER_ID,
    Node,
    as_text,
    cluster_properties,
    server_properties,
)
from ekiben_bus.naming import Naming
from ekiben_bus.topic_plan import wanted_topics
from ekiben_contracts.topics import LARGEST_RECORD, TOPICS

ONE = (Node(1, 20001, 20011),)
THREE = (Node(1, 20001, 20011), Node(2, 20002, 20012), Node(3, 20003, 20013))


def test_everything_listens_on_the_loopback_only():
    properties = server_properties(ONE[0], ONE, Path("/data"))
    listeners = (properties["listeners"] + "," + properties["advertised.listeners"]).split(",")
    assert len(listeners) == 3
    assert all("://127.0.0.1:" in listener for listener in listeners)


def test_no_topic_is_created_by_being_named():
    assert cluster_properties(1)["auto.create.topics.enable"] == "false"


@pytest.mark.parametrize(
    ("nodes", "replicas", "in_sync"), [(1, "1", "1"), (2, "2", "1"), (3, "3", "2"), (5, "3", "2")]
)
def test_replication_follows_the_number_of_nodes(nodes, replicas, in_sync):
    properties = cluster_properties(nodes)
    factors = {value for name, value in properties.items() if name.endswith("replication.factor")}
    assert factors == {replicas}
    assert properties["min.insync.replicas"] == in_sync
    assert properties["transaction.state.log.min.isr"] == in_sync


def test_three_nodes_differ_in_id_and_ports_and_agree_on_their_voters():
    each = [server_properties(node, THREE, Path("/data")) for node in THREE]
    assert [properties["node.id"] for properties in each] == ["1", "2", "3"]
    assert len({properties["listeners"] for properties in each}) == 3
    assert {properties["controller.quorum.voters"] for properties in each} == {
        "1@127.0.0.1:20011,2@127.0.0.1:20012,3@127.0.0.1:20013"
    }


def test_the_broker_takes_the_largest_record_of_any_topic():
    wanted = wanted_topics(TOPICS, Naming(), brokers=1)
    largest = max(int(topic.configs["max.message.bytes"]) for topic in wanted)
    assert largest == LARGEST_RECORD
    assert cluster_properties(1)["message.max.bytes"] == str(largest)
    assert int(cluster_properties(1)["replica.fetch.max.bytes"]) >= largest


def test_the_cluster_id_is_sixteen_bytes_in_base64_as_kafka_wants():
    assert len(CLUSTER_ID) == 22


def test_properties_are_written_one_a_line_with_backslashes_escaped():
    assert as_text({"a": "1", "log.dirs": r"C:\data"}) == "a=1\nlog.dirs=C:\\\\data\n"


def test_a_container_gets_the_same_settings_as_variables():
    environment = container_environment()
    for name, value in cluster_properties(1).items():
        assert environment["KAFKA_" + name.upper().replace(".", "_")] == value
