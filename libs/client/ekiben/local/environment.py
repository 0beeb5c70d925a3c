"""What every child of the local system finds in its environment."""

from __future__ import annotations

import os

from ekiben.local.home import Home
from ekiben_bus.settings import KafkaSettings


def environment(home: Home, kafka: KafkaSettings, topic_prefix: str) -> dict[str, str]:
    """Ours, and where Kafka and the home are: the registry and the Bentos lie there by default.

    `EKIBEN_OWNER_PID` is us: the supervisor of the model servers, which no leash holds, ends with it.
    """
    return {
        "EKIBEN_FEATURES_REPOSITORY": str(home.features),
        "FEAST_USAGE": "False",
        **os.environ,
        "EKIBEN_HOME": str(home.path),
        "EKIBEN_OWNER_PID": str(os.getpid()),
        "EKIBEN_TOPIC_PREFIX": topic_prefix,
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "KAFKA_SECURITY_PROTOCOL": kafka.security_protocol,
        "PYTHONUNBUFFERED": "1",
    }
