"""`ekiben offsets` on a real Kafka: a gap is seen, and skipped only when somebody says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from ekiben_bus.cluster import KafkaCluster
from ekiben_bus.connection import client_options
from ekiben_bus.publishing import PartitionPublisher, WireRecord
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS

EKIBEN = Path(sys.executable).with_name("ekiben")


@pytest.fixture
async def gap(kafka_settings, topic_prefix):
    """Partition 1: 3 of 10 records finished, the log starts at 7. Returns the name of the topic."""
    cluster, place = KafkaCluster(kafka_settings), TopicPartition(topic_prefix + PREDICTION_REQUESTS.name, 1)
    publisher = PartitionPublisher(cluster)
    await publisher.publish([WireRecord(place.topic, 1, b"k", b"{}", [])] * 10)
    await publisher.stop()
    consumer = cluster.consumer(group_id=topic_prefix + GATEWAY)
    consumer.assign([place])
    await consumer.start()
    await consumer.commit({place: 3})
    await consumer.stop()
    admin = AIOKafkaAdminClient(**client_options(kafka_settings))
    await admin.start()
    await admin.delete_records({place: RecordsToDelete(before_offset=7)})
    await admin.close()
    return place.topic


@pytest.fixture
def ekiben(kafka_settings, topic_prefix):
    def run(*arguments):
        where = ("-b", kafka_settings.bootstrap_servers, "--topic-prefix", topic_prefix)
        return subprocess.run(
            [EKIBEN, "offsets", *arguments, *where],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def standing(ended, topic):
    """That of the partition with the gap, out of a list."""
    found = json.loads(ended.stdout)["offsets"]
    (mine,) = [each for each in found if (each["topic"], each["partition"]) == (topic, 1)]
    return {name: mine[name] for name in ("committed", "start", "end", "lag", "deleted_unread")}


async def test_a_gap_is_listed_and_skipped_only_when_somebody_says_so(ekiben, gap):
    listed = ekiben("list", "--group", GATEWAY, "--json")
    seen = {"committed": 3, "start": 7, "end": 10, "lag": 3, "deleted_unread": 4}
    assert (listed.returncode, standing(listed, gap)) == (4, seen)

    unasked = ekiben("skip", "--group", GATEWAY, "--topic", gap, "--to-earliest")
    assert unasked.returncode == 4
    assert f"{gap}, partition 1: from offset 3 to 7: 4 records were deleted unread" in unasked.stderr
    assert standing(ekiben("list", "--json"), gap) == seen

    elsewhere = ekiben("skip", "--group", GATEWAY, "--topic", gap, "--partition", "0", "--yes")
    assert (elsewhere.returncode, "nothing to skip" in elsewhere.stdout) == (0, True)

    skipped = ekiben("skip", "--group", GATEWAY, "--topic", gap, "--to-earliest", "--yes", "--json")
    assert [each["partition"] for each in json.loads(skipped.stdout)["skipped"]] == [1]
    after = ekiben("list", "--group", GATEWAY, "--json")
    assert (after.returncode, standing(after, gap)) == (
        0,
        {"committed": 7, "start": 7, "end": 10, "lag": 3, "deleted_unread": 0},
    )
