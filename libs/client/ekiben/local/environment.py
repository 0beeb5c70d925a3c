"""What every child of the local system finds in its environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from ekiben.local.home import Home
from ekiben_bus.settings import KafkaSettings

QUIET: Mapping[str, str] = {
    # no tool phones home: on a closed network that would even hang a start
    "BENTOML_DO_NOT_TRACK": "True",
    "DO_NOT_TRACK": "1",
    "FEAST_USAGE": "False",
    "GX_ANALYTICS_ENABLED": "False",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def environment(home: Home, kafka: KafkaSettings, topic_prefix: str) -> dict[str, str]:
    """Ours, and where Kafka, the registry and the Bentos of this home are.

    The addresses of MLflow and BentoML stay as the user set them, if set.
    """
    defaults = {"MLFLOW_TRACKING_URI": home.mlflow_uri, "BENTOML_HOME": str(home.bentoml)}
    return {
        **defaults,
        **QUIET,
        **os.environ,
        "PATH": _path(),
        "EKIBEN_HOME": str(home.path),
        "EKIBEN_OWNER_PID": str(os.getpid()),
        "EKIBEN_TOPIC_PREFIX": topic_prefix,
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "KAFKA_SECURITY_PROTOCOL": kafka.security_protocol,
        "PYTHONUNBUFFERED": "1",
    }


def _path() -> str:
    """With the scripts of this Python first: `ekiben` may run from a venv that nobody activated."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
