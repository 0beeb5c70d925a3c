"""Runs the deployer: `python -m ekiben_deployer`. Settings are environment variables.

What it deployed on this machine runs on when it ends; `python -m ekiben_deployer.supervisor --stop`
ends that.
"""

from __future__ import annotations

from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_contracts.topics import DEPLOYER
from ekiben_deployer.app import build
from ekiben_deployer.settings import DeployerSettings
from ekiben_telemetry.logging import configure


def main() -> None:
    """Deploy until SIGTERM or SIGINT."""
    configure(DEPLOYER)
    build(DeployerSettings(), ServiceSettings(), KafkaSettings()).run()


if __name__ == "__main__":
    main()
