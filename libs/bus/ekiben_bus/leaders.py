"""Waiting until the leader of every partition has taken it up.

A new topic is in the metadata before its leaders know of it, and until then they refuse what is written
there. That costs a producer with several requests in flight its first batch: the second, which came a
moment later, is taken for the first of all, and the first is out of order for ever (KAFKA-15591, mended in
Kafka 4.5). librdkafka then takes the first for written, and reports its delivery.
"""

from __future__ import annotations

from collections.abc import Collection

from aiokafka import TopicPartition

from ekiben_bus.cluster import Cluster


async def until_led(cluster: Cluster, places: Collection[TopicPartition]) -> None:
    """Ask the leaders for these partitions until each of them answers.

    Raises:
        KafkaTimeoutError: some leader did not, within aiokafka's request timeout.
    """
    asked = list(places)
    reader = cluster.consumer(group_id=None)
    reader.assign(asked)  # the metadata of all topics at once, where asking alone adds one a time
    try:
        await reader.start()
        await reader.beginning_offsets(asked)  # a leader that does not know of one yet is asked again
    finally:
        await reader.stop()
