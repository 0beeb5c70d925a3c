import asyncio
import os
import signal

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from ekiben_bus.brokers.embedded import EmbeddedKafka
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.topics import apply_topics
from ekiben_contracts.topics import PREDICTION_REQUESTS
from integration.brokers.processes import lives

TOPIC = PREDICTION_REQUESTS.name


async def write(servers: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=servers, acks="all") as producer:
        await producer.send_and_wait(TOPIC, value, key=b"one key")


async def create_and_write(servers: str, value: bytes) -> None:
    await apply_topics(KafkaSettings(bootstrap_servers=servers), topics=[PREDICTION_REQUESTS])
    await write(servers, value)


async def read(servers: str, expected: int) -> list[bytes]:
    async with AIOKafkaConsumer(TOPIC, bootstrap_servers=servers, auto_offset_reset="earliest") as consumer:
        return [(await asyncio.wait_for(consumer.getone(), 30)).value for _ in range(expected)]


@pytest.fixture(scope="module")
def restarted(tmp_path_factory):
    kafka = EmbeddedKafka(tmp_path_factory.mktemp("restarted"))
    with kafka:
        address = kafka.bootstrap_servers
        asyncio.run(create_and_write(kafka.bootstrap_servers, b"before"))
        pid = kafka.pid
    assert not lives(pid)
    with kafka:
        yield kafka, address


def test_the_port_stays(restarted):
    kafka, address_before = restarted
    assert kafka.bootstrap_servers == address_before


def test_the_records_stay_and_more_can_follow(restarted):
    kafka, _ = restarted
    asyncio.run(write(kafka.bootstrap_servers, b"after"))
    assert asyncio.run(read(kafka.bootstrap_servers, 2)) == [b"before", b"after"]


def test_the_log_of_the_run_before_is_kept(restarted):
    kafka, _ = restarted
    assert "Kafka Server started" in kafka.log.with_name(f"{kafka.log.name}.1").read_text()


def test_one_that_died_is_seen_and_started_again_with_all_that_was_acknowledged(tmp_path):
    kafka = EmbeddedKafka(tmp_path)
    with kafka:
        asyncio.run(create_and_write(kafka.bootstrap_servers, b"before"))
        os.kill(kafka.pid, signal.SIGKILL)
        assert kafka.wait(30)
        assert (kafka.running, kafka.pid) == (False, None)
        kafka.start()
        assert asyncio.run(read(kafka.bootstrap_servers, 1)) == [b"before"]
