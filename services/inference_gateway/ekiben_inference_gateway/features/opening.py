"""Having the store open before the first request needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from structlog.stdlib import get_logger

from ekiben_inference_gateway.features.reading import StoreReader

log = get_logger(__name__)


async def open_when_needed(reader: StoreReader, is_needed: Callable[[], bool], every_s: float) -> None:
    """Open the store once a route names a feature service, ahead of the first request that needs it.

    What it fails with, whatever that is, is said the first time, the second, the fourth, the eighth, ….
    """
    failures = 0
    while True:
        await asyncio.sleep(every_s)
        if not reader.is_open and is_needed():
            try:
                await reader.open()
            except Exception as error:  # noqa: BLE001 - requests do without it, and so does the gateway
                failures += 1
                if failures.bit_count() == 1:
                    log.warning("no feature store yet", reason=str(error), failures=failures)
