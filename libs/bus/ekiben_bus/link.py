"""Whether a running service still gets through to its cluster, and if not, why.

aiokafka goes on trying by itself, and loses nothing; but it raises nothing either. A connection that
exists outlives its password: it is the next one, after a broker's restart or an idle hour, that is
refused. So one client asks for the brokers from time to time, as every client of the process would.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest
from structlog.stdlib import get_logger

from ekiben_bus.connection import client_options
from ekiben_bus.diagnosing import diagnose
from ekiben_bus.errors import ConnectionSettingsError
from ekiben_bus.refusals import Refusal
from ekiben_bus.settings import KafkaSettings

log = get_logger(__name__)

_EVERY_S = 3.0
_WITHIN_S = 5.0
_LONGEST_LOOK_S = 15.0
_LOOKS_UNTIL_AWAY = 3
"""A broker that restarts is away for as long as one or two: nobody need hear of it."""
_CHANGED = "the files of its settings have changed since this process started: restart it"


@dataclass(frozen=True, slots=True)
class _Trouble:
    """`kind` is what makes it another one; its words may tell the same of another server."""

    kind: object
    why: str
    is_away: bool = False


_STALE = _Trouble("stale", "a new client gets in, those of this process do not: restart it", is_away=True)
"""Or the cluster came back just now: the next look will tell."""


class Link:
    """Watches from `start` to `stop`; `problem` is why nobody gets through, None while all is well."""

    def __init__(self, settings: KafkaSettings, every_s: float = _EVERY_S) -> None:
        self._settings = settings
        self._options = client_options(settings)
        self._every_s = every_s
        self._watching: asyncio.Task[None] | None = None
        self._told: object = None
        self._looks_away = 0
        self.problem: str | None = None

    async def start(self) -> None:
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self) -> None:
        client = AIOKafkaClient(**self._options, request_timeout_ms=int(_WITHIN_S * 1000))
        try:
            while True:
                self._tell(await self._look(client))
                await asyncio.sleep(self._every_s)
        finally:
            await client.close()

    async def _look(self, client: AIOKafkaClient) -> _Trouble | None:
        try:
            if await _gets_through(client):
                return None
            refusal = await diagnose(self._settings, self._options)
            return _STALE if refusal is None else await self._trouble(refusal)
        except Exception as error:  # noqa: BLE001 - of whatever kind: who stops to look tells the last for ever
            return _Trouble(type(error), f"{type(error).__name__}: {error}")

    async def _trouble(self, refusal: Refusal) -> _Trouble:
        kind = (refusal.case, refusal.setting)
        if refusal.is_of_files and await _fresh_gets_in(self._settings):
            return _Trouble((*kind, _CHANGED), f"{refusal}; but {_CHANGED}")
        return _Trouble(kind, str(refusal), refusal.is_away)

    def _tell(self, trouble: _Trouble | None) -> None:
        self._looks_away = self._looks_away + 1 if trouble is not None and trouble.is_away else 0
        if trouble is not None and trouble.is_away and self._looks_away < _LOOKS_UNTIL_AWAY:
            return
        if trouble is not None and trouble.kind != self._told:
            log.error("Kafka cannot be reached, trying again and again", why=trouble.why)
        if trouble is None and self._told is not None:
            log.info("Kafka is reached again")
        self._told, self.problem = (trouble.kind, trouble.why) if trouble is not None else (None, None)


async def _gets_through(client: AIOKafkaClient) -> bool:
    """To one of the brokers. It is asked for no topic: there may be thousands."""
    with contextlib.suppress(KafkaError, TimeoutError, UnicodeError):  # the last of a host that is no name
        async with asyncio.timeout(_LONGEST_LOOK_S):
            if not client.cluster.brokers():
                await client.bootstrap()
        for broker in client.cluster.brokers():
            with contextlib.suppress(KafkaError):
                async with asyncio.timeout(_LONGEST_LOOK_S):
                    await client.send(broker.nodeId, MetadataRequest([]))
                return True
    return False


async def _fresh_gets_in(settings: KafkaSettings) -> bool:
    try:
        return await diagnose(settings) is None
    except ConnectionSettingsError:
        return False
