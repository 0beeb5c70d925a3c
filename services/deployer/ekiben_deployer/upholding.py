"""Carrying out the upkeep: starts, stops and moves so that the routes stay true."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from structlog.stdlib import get_logger

from ekiben_deployer.ledger import Ledger
from ekiben_deployer.routes import relocate
from ekiben_deployer.targets import Target
from ekiben_deployer.upkeep import Kept, to_end, to_keep

log = get_logger(__name__)


class Upkeep:
    """Compares what is routed with what runs, and mends the difference."""

    def __init__(
        self, ledger: Ledger, target: Target, grace: timedelta, clock: Callable[[], datetime]
    ) -> None:
        self._ledger = ledger
        self._target = target
        self._grace = grace
        self._clock = clock

    async def round(self, busy: Collection[str]) -> None:
        """One round over all models that no deployment is busy with.

        Raises:
            LedgerUnavailableError: Kafka is away; the next round goes on.
        """
        for route in await self._ledger.reassert():
            log.warning("route was written over, asserted again", route=route.key, revision=route.revision)
        known = self._ledger.known()
        for kept in to_keep(known, busy):
            await self._keep(kept)
        for served in to_end(known, await self._target.instances(), busy, self._clock(), self._grace):
            log.info("stopping what no route needs", model=served.model, version=served.version)
            await self._target.stop(served.model, served.version)

    async def _keep(self, kept: Kept) -> None:
        instance = await self._target.start(kept.served)
        if not instance.is_up or instance.url == kept.url:
            return
        route = self._ledger.known().routes[kept.served.model]
        log.warning("version listens elsewhere now", model=route.model, was=kept.url, url=instance.url)
        await self._ledger.decide(relocate(route, kept.served.version, instance.url, self._clock()))
