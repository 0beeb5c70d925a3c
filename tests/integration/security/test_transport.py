"""Every client of the house gets in by password, by token and by certificate, over TLS each time.

As the super user: which ACLs anybody else needs is another matter.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from ekiben import Ekiben
from ekiben_bus.librdkafka import librdkafka_options
from ekiben_bus.naming import Naming
from ekiben_bus.settings import KafkaSettings
from ekiben_bus.topics import apply_topics
from ekiben_contracts.topics import ROUTES
from integration.security.answering import SEEN, answering, serving
from integration.security.secure_kafka import ADMIN, SecureKafka

pytestmark = pytest.mark.kafka
EKIBEN = Path(sys.executable).with_name("ekiben")


@pytest.mark.parametrize("way", ["scram", "oauth", "mtls"])
async def test_every_client_works_over_it(secure_kafka: SecureKafka, way: str):
    kafka: KafkaSettings = getattr(secure_kafka, way)(ADMIN)
    prefix = f"{way}-{secrets.token_hex(4)}."

    created = (await apply_topics(kafka, Naming(prefix))).created  # the administrative client
    service = answering(kafka, prefix)  # a consumer in its group, a producer, a table
    async with serving(service), Ekiben(kafka=kafka, topic_prefix=prefix) as ekiben:
        result = await ekiben.predict("delay", "UA-1545", {"hour": 5.0})
    said = command_line(kafka, prefix)
    by_librdkafka = AdminClient({**librdkafka_options(kafka)})
    by_librdkafka.poll(0)
    listed = by_librdkafka.list_topics(timeout=20).topics

    assert result.message == SEEN
    assert prefix + ROUTES.name in created
    assert set(created) <= set(listed)
    assert f"all {len(created)} are there and right" in said


def command_line(kafka: KafkaSettings, prefix: str) -> str:
    """What `ekiben doctor` says, in a process that has the login from its environment alone."""
    ended = subprocess.run(
        [EKIBEN, "doctor", "--topic-prefix", prefix],
        env={**os.environ, "COLUMNS": "400", **kafka.as_environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout + ended.stderr
