"""The command line: `ekiben`."""

from __future__ import annotations

import logging
import os


def main() -> None:
    """Run one command. Its logs go to standard error: warnings, or what EKIBEN_LOG_LEVEL says."""
    from ekiben.cli.app import app  # noqa: PLC0415 - imports half a second of libraries
    from ekiben_telemetry.logging import configure  # noqa: PLC0415

    configure("ekiben", os.environ.get("EKIBEN_LOG_LEVEL", "WARNING"))
    if "EKIBEN_LOG_LEVEL" not in os.environ:
        # what it cannot reach it says over and over; the command says it once
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    app()
