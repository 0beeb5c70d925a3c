"""Publishing: in order, acknowledged, and never through a producer that gave something up."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError

from ekiben_bus.memory import MemoryCluster
from ekiben_bus.memory.producer import MemoryProducer
from ekiben_bus.publishing import PartitionPublisher, PublishError, WireRecord


class UnreliableProducer(MemoryProducer):
    """Its acknowledgements come when its cluster says so: at once, with an error, or never."""

    async def send_batch(self, batch, topic, *, partition):
        if self._cluster.acknowledge == "never":
            return asyncio.get_running_loop().create_future()
        if self._cluster.acknowledge == "failing":
            raise KafkaTimeoutError
        return await super().send_batch(batch, topic, partition=partition)

    async def stop(self):
        if self._cluster.acknowledge == "never":
            await asyncio.Event().wait()
        await super().stop()


class UnreliableCluster(MemoryCluster):
    def __init__(self):
        super().__init__()
        self.acknowledge = "at once"
        self.producers = 0
        self.create_topic("t", 2)

    def producer(self):
        self.producers += 1
        return UnreliableProducer(self)


def record(value: bytes = b"v", partition: int | None = 0, key: bytes = b"k") -> WireRecord:
    return WireRecord("t", partition, key, value, [])


@pytest.fixture
def cluster():
    return UnreliableCluster()


def published(cluster, partition: int = 0) -> list[bytes]:
    return [stored.value for stored in cluster.log(TopicPartition("t", partition)).records]


async def test_what_is_published_is_there_in_order(cluster):
    publisher = PartitionPublisher(cluster)
    await publisher.publish([record(str(n).encode()) for n in range(100)])
    assert published(cluster) == [str(n).encode() for n in range(100)]
    await publisher.stop()


async def test_a_key_decides_its_partition_where_no_partition_is_given(cluster):
    publisher = PartitionPublisher(cluster)
    await publisher.publish([record(partition=None, key=f"k{n}".encode()) for n in range(50)])
    assert len(published(cluster, 0)) + len(published(cluster, 1)) == 50
    assert published(cluster, 0)
    assert published(cluster, 1)
    await publisher.stop()


async def test_a_producer_that_failed_is_replaced(cluster):
    publisher = PartitionPublisher(cluster)
    cluster.acknowledge = "failing"
    with pytest.raises(PublishError, match="expected every acknowledgement, 1 of 1 failed"):
        await publisher.publish([record()])
    cluster.acknowledge = "at once"
    await publisher.publish([record(b"after")])
    assert cluster.producers == 2
    assert published(cluster) == [b"after"]
    await publisher.stop()


async def test_a_producer_that_was_waited_for_in_vain_is_replaced_and_its_closing_holds_up_nobody(cluster):
    publisher = PartitionPublisher(cluster)
    cluster.acknowledge = "never"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await publisher.publish([record()])
    cluster.acknowledge = "at once"
    async with asyncio.timeout(5):
        await publisher.publish([record(b"after")])
    assert cluster.producers == 2
    assert published(cluster) == [b"after"]


async def test_publishing_nothing_asks_nobody(cluster):
    publisher = PartitionPublisher(cluster)
    await publisher.publish([])
    assert cluster.producers == 0


async def test_a_topic_that_is_not_there_is_a_publish_error_and_costs_no_producer():
    cluster = MemoryCluster()
    cluster.create_topic("there", 1)
    publisher = PartitionPublisher(cluster)
    await publisher.start()
    with pytest.raises(PublishError, match="partitions of elsewhere"):
        await publisher.publish([WireRecord("elsewhere", None, b"k", b"v", [])])
    await publisher.publish([WireRecord("there", None, b"k", b"v", [])])
    await publisher.stop()
    assert len(cluster.log(TopicPartition("there", 0)).records) == 1
