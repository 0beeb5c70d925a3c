"""The switches that keep the tools from phoning home: on a closed network a call home hangs start-up.

The last keeps MLflow from copying the project of the working directory into each model it logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NO_PHONE_HOME: Final[Mapping[str, str]] = {
    "BENTOML_DO_NOT_TRACK": "True",
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",
}
