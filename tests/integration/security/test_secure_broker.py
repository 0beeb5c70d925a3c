"""The embedded broker, secured: who gets in as whom, and that no secret lies about."""

import stat
import subprocess

import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.conn import create_conn
from aiokafka.protocol.admin import CreateTopicsRequest

from ekiben_bus.connection import client_options
from ekiben_bus.diagnosing import diagnose
from ekiben_bus.refusals import Case
from ekiben_bus.settings import KafkaSettings
from integration.security.secure_kafka import ADMIN, SecureKafka

pytestmark = pytest.mark.kafka
REFUSED = 29


async def create_topic(settings: KafkaSettings, name: str) -> int:
    """Create one; Kafka's error code."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(name, 1, 1)])
        return answer.topic_errors[0][1]
    finally:
        await admin.close()


@pytest.mark.parametrize("way", ["scram", "mtls"])
async def test_the_super_user_may_and_a_stranger_to_the_acls_may_not(secure_kafka: SecureKafka, way: str):
    login = getattr(secure_kafka, way)
    assert await create_topic(login("synthesizer"), f"refused-{way}") == REFUSED
    assert await create_topic(login(ADMIN), f"allowed-{way}") == 0


def controller(secure_kafka: SecureKafka) -> str:
    """Where the controller listens: no client needs to know, but everybody on this machine can find out."""
    (properties,) = secure_kafka.kafka.log.parent.glob("*.properties")
    (line,) = [
        each for each in properties.read_text().splitlines() if each.startswith("controller.quorum.voters=")
    ]
    return line.rpartition("@")[2]


async def test_the_controller_is_no_back_door(secure_kafka: SecureKafka):
    known = secure_kafka.mtls("synthesizer").model_copy(
        update={"bootstrap_servers": controller(secure_kafka)}
    )
    nobody = known.model_copy(update={"ssl_certfile": None})
    refusal = await diagnose(nobody)
    assert refusal is not None
    assert refusal.case is Case.NO_CERTIFICATE
    assert await create_at_controller(known, "through-the-back-door") == REFUSED
    assert await create_at_controller(known.model_copy(update=as_admin(secure_kafka)), "by-right") == 0


def as_admin(secure_kafka: SecureKafka) -> dict[str, str | None]:
    return {"ssl_certfile": secure_kafka.mtls(ADMIN).ssl_certfile}


async def create_at_controller(settings: KafkaSettings, name: str) -> int:
    """Ask the controller itself, as a broker would; Kafka's error code."""
    host, _, port = settings.bootstrap_servers.rpartition(":")
    options = client_options(settings)
    connection = await create_conn(
        host, int(port), security_protocol="SSL", ssl_context=options["ssl_context"]
    )
    try:
        answer = await connection.send(CreateTopicsRequest([(name, 1, 1, [], [])], 10_000, False))
        return answer.topic_errors[0][1]
    finally:
        connection.close()


def test_passwords_are_in_no_file_no_log_and_no_command_line(secure_kafka: SecureKafka):
    folder = secure_kafka.folder.parent
    secrets = [each.get_secret_value() for each in secure_kafka.security.users.values()]
    search = ["grep", "-rlF", *(f"-e{each}" for each in secrets), str(folder)]
    found = subprocess.run(search, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (1, "")
    command = " ".join(psutil.Process(secure_kafka.kafka.pid).cmdline())
    assert not [each for each in secrets if each in command]


def test_keys_and_the_folder_of_data_are_the_owners_alone(secure_kafka: SecureKafka):
    keys = [path for path in secure_kafka.folder.glob("*.pem") if b"PRIVATE KEY" in path.read_bytes()]
    assert len(keys) > 5
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    assert stat.S_IMODE(secure_kafka.kafka.log.parent.stat().st_mode) == 0o700
