"""The loop that compares and acts: level-triggered, and only while the requests' partition is ours."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial

from structlog.stdlib import get_logger

from ekiben_deployer.ledger import Attempt, Ledger, LedgerUnavailableError, attempt_of
from ekiben_deployer.planning import Request
from ekiben_deployer.reconciling import names_of, unblocked
from ekiben_deployer.rollouts import Rollouts
from ekiben_deployer.upholding import Upkeep

log = get_logger(__name__)

_CHECK_OWNERSHIP_S = 0.5


class Controller:
    """Runs a task for each request that nothing stands before, and the upkeep of all else.

    Two deployers at once: the topic of requests has one partition, so one of them owns it and works;
    the other waits, and takes over with the partition.
    """

    def __init__(
        self, ledger: Ledger, rollouts: Rollouts, upkeep: Upkeep, owns: Callable[[], bool], resync_s: float
    ) -> None:
        self._ledger = ledger
        self._rollouts = rollouts
        self._upkeep = upkeep
        self._owns = owns
        self._resync_s = resync_s
        self._changed = asyncio.Event()
        self._running: dict[Attempt, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Something changed: look now."""
        self._changed.set()

    async def run(self) -> None:
        """Reconcile until cancelled."""
        watching = asyncio.create_task(self._watch_ownership())
        try:
            while True:
                self._changed.clear()
                await self._round()
                await self._wait()
        finally:
            watching.cancel()
            await self._cancel_all()

    async def _round(self) -> None:
        if not self._owns():
            await self._stand_by()
            return
        try:
            await self._ledger.catch_up()
            unfinished = self._ledger.unfinished()
            self._start(unfinished)
            await self._upkeep.round({name for request in unfinished for name in names_of(request)})
        except LedgerUnavailableError as error:
            log.warning("waiting for Kafka", why=str(error))
        except Exception:
            log.exception("round broke, the next one tries again", next_in_s=self._resync_s)

    def _start(self, unfinished: Sequence[Request]) -> None:
        for request in unblocked(unfinished):
            attempt = attempt_of(request)
            if attempt not in self._running:
                task = asyncio.create_task(self._rollouts.carry_out(request))
                self._running[attempt] = task
                task.add_done_callback(partial(self._finish, attempt))

    def _finish(self, attempt: Attempt, task: asyncio.Task[None]) -> None:
        del self._running[attempt]
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            log.error("deployment broke off, taken up again soon", deployment=attempt[0], error=repr(error))
            return
        self.wake()

    async def _wait(self) -> None:
        # not asyncio.wait_for: before Python 3.12 it swallows a cancellation that meets the event
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._resync_s):
                await self._changed.wait()

    async def _stand_by(self) -> None:
        """Another deployer is active: what we were doing is its work now, and what it decides stands."""
        await self._cancel_all()
        self._ledger.forget()

    async def _watch_ownership(self) -> None:
        owned = False
        while True:
            if owned != self._owns():
                owned = not owned
                log.info("deploying" if owned else "standing by")
                self.wake()
            await asyncio.sleep(_CHECK_OWNERSHIP_S)

    async def _cancel_all(self) -> None:
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
