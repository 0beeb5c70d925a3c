"""Whether a running service still gets through to its cluster, and if not, why.

aiokafka goes on trying by itself, and loses nothing; but it raises nothing either. A connection that
exists outlives its password: it is the next one, after a broker's restart or an idle hour, that is
refused. So one client asks for the brokers from time to time, as every client of the process would.
"""

from __future__ import annotations

import asyncio
import contextlib

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from structlog.stdlib import get_logger

from ekiben_bus.connection import client_options
from ekiben_bus.diagnosing import diagnose
from ekiben_bus.settings import KafkaSettings

log = get_logger(__name__)

_EVERY_S = 3.0
_WITHIN_S = 5.0
_LONGEST_LOOK_S = 15.0


class Link:
    """Watches from `start` to `stop`; `problem` is why nobody gets through, None while all is well."""

    def __init__(self, settings: KafkaSettings, every_s: float = _EVERY_S) -> None:
        self._settings = settings
        self._every_s = every_s
        self._watching: asyncio.Task[None] | None = None
        self.problem: str | None = None

    async def start(self) -> None:
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self) -> None:
        options = client_options(self._settings)
        client = AIOKafkaClient(**options, request_timeout_ms=int(_WITHIN_S * 1000))
        try:
            while True:
                self._tell(await self._found(client))
                await asyncio.sleep(self._every_s)
        finally:
            await client.close()

    async def _found(self, client: AIOKafkaClient) -> str | None:
        if await _gets_through(client):
            return None
        refusal = await diagnose(self._settings)
        # let in meanwhile: the next look will tell
        return str(refusal) if refusal is not None else self.problem

    def _tell(self, problem: str | None) -> None:
        if problem is not None and problem != self.problem:
            log.error("Kafka cannot be reached, trying again and again", why=problem)
        if problem is None and self.problem is not None:
            log.info("Kafka is reached again")
        self.problem = problem


async def _gets_through(client: AIOKafkaClient) -> bool:
    try:
        async with asyncio.timeout(_LONGEST_LOOK_S):
            if not client.cluster.brokers():
                await client.bootstrap()
            return await client.force_metadata_update()
    except (KafkaError, TimeoutError):
        return False
