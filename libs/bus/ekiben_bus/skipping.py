"""Giving up, before a group begins to read, what is older than it has use for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError
from structlog.stdlib import get_logger

from ekiben_bus.cluster import Cluster, Consumer

log = get_logger(__name__)


async def skip_older(
    cluster: Cluster, group: str, places: Sequence[TopicPartition], oldest_ms: int
) -> Mapping[TopicPartition, int]:
    """Set a group to the first record of each partition that is no older; how many records that gives up.

    One with members is left as it is: where they read on is their affair.

    Raises:
        KafkaError: the cluster does not answer.
    """
    consumer = cluster.consumer(group_id=group)
    consumer.assign(places)
    await consumer.start()
    try:
        behind = await _behind(consumer, places, oldest_ms)
        if not behind:
            return {}
        await consumer.commit({place: to for place, (_, to) in behind.items()})
    except CommitFailedError:
        return {}
    finally:
        await consumer.stop()
    skipped = {place: max(0, to - start) for place, (start, to) in behind.items()}
    log.warning("records given up", group=group, topic=places[0].topic, records=sum(skipped.values()))
    return skipped


async def _behind(
    consumer: Consumer, places: Sequence[TopicPartition], oldest_ms: int
) -> Mapping[TopicPartition, tuple[int, int]]:
    """Where the group would read on and where it is to, in each partition where that is later."""
    starts = await consumer.beginning_offsets(places)
    ends = await consumer.end_offsets(places)
    young = await consumer.offsets_for_times(dict.fromkeys(places, oldest_ms))
    behind: dict[TopicPartition, tuple[int, int]] = {}
    for place in places:
        committed = await consumer.committed(place)
        first = young[place]
        to = ends[place] if first is None else first.offset
        begin = starts[place] if committed is None else committed
        if begin < to:
            # of what retention has deleted meanwhile nothing is given up here
            behind[place] = max(begin, starts[place]), to
    return behind
