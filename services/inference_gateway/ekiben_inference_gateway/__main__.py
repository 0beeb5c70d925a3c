"""Runs the gateway: `python -m ekiben_inference_gateway`. Settings are environment variables."""

from __future__ import annotations

import sys

from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_contracts.topics import GATEWAY
from ekiben_inference_gateway.app import build
from ekiben_inference_gateway.features.settings import FeatureSettings
from ekiben_inference_gateway.http.settings import HttpSettingsError, read_settings
from ekiben_inference_gateway.settings import GatewaySettings
from ekiben_telemetry.logging import configure


def main() -> None:
    """Consume until SIGTERM or SIGINT, then drain."""
    configure(GATEWAY)
    try:
        http = read_settings()
    except HttpSettingsError as error:
        sys.exit(str(error))
    service = build(
        GatewaySettings(), ServiceSettings(), KafkaSettings(), http=http, features=FeatureSettings()
    )
    service.run()


if __name__ == "__main__":
    main()
