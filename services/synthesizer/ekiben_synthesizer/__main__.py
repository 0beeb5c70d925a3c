"""Runs the synthesizer: `python -m ekiben_synthesizer`. Settings are environment variables."""

from __future__ import annotations

from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_contracts.topics import SYNTHESIZER
from ekiben_synthesizer.app import build
from ekiben_synthesizer.settings import SynthesizerSettings
from ekiben_telemetry.logging import configure


def main() -> None:
    """Consume until SIGTERM or SIGINT, then drain."""
    configure(SYNTHESIZER)
    build(SynthesizerSettings(), ServiceSettings(), KafkaSettings()).run()


if __name__ == "__main__":
    main()
