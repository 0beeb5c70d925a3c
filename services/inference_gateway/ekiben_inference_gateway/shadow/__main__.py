"""Runs shadow scoring: `python -m ekiben_inference_gateway.shadow`. Settings are environment variables."""

from __future__ import annotations

import os

from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_contracts.topics import SHADOW
from ekiben_inference_gateway.shadow.app import build
from ekiben_inference_gateway.shadow.settings import ShadowSettings
from ekiben_telemetry.logging import configure


def main() -> None:
    """Consume until SIGTERM or SIGINT, then drain."""
    configure(SHADOW)
    settings = ShadowSettings()
    os.nice(settings.niceness)
    build(settings, ServiceSettings(), KafkaSettings()).run()


if __name__ == "__main__":
    main()
