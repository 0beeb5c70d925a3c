"""What every child of the local system finds in its environment."""

from __future__ import annotations

import os

from ekiben.local.home import Home
from ekiben_bus.settings import KafkaSettings

_OF_KAFKA = frozenset(f"KAFKA_{name.upper()}" for name in KafkaSettings.model_fields)


def environment(home: Home, kafka: KafkaSettings, topic_prefix: str) -> dict[str, str]:
    """Ours, how to log in to Kafka, and the home: the registry and the Bentos lie there by default.

    `EKIBEN_OWNER_PID` is us: the supervisor of the model servers, which no leash holds, ends with it.
    """
    return {
        "EKIBEN_FEATURES_REPOSITORY": str(home.features),
        "FEAST_USAGE": "False",
        **_others(),
        "EKIBEN_HOME": str(home.path),
        "EKIBEN_OWNER_PID": str(os.getpid()),
        "EKIBEN_TOPIC_PREFIX": topic_prefix,
        **kafka.as_environment(),
        "PYTHONUNBUFFERED": "1",
    }


def _others() -> dict[str, str]:
    """Ours, without the login of another cluster that may be in it: it is told anew, all or nothing."""
    return {name: value for name, value in os.environ.items() if name.upper() not in _OF_KAFKA}
