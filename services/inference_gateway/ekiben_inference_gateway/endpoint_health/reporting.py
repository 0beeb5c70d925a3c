"""Publishes what was seen of the endpoints, at the end of each window."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from structlog.stdlib import get_logger

from ekiben_bus.publishing import PublishError
from ekiben_bus.verdicts import Outgoing
from ekiben_contracts.health import EndpointHealthReported
from ekiben_contracts.topics import ENDPOINT_HEALTH
from ekiben_inference_gateway.endpoint_health.watches import Watches
from ekiben_inference_gateway.endpoint_health.windows import window_of

log = get_logger(__name__)

_MOST_UNSENT = 1000
_LAST_WORDS_S = 3.0


class HealthReporter:
    """Reports beside the work: no request waits for it, and none fails because it cannot.

    What could not be published goes with the next window, under the same ids; beyond a thousand reports the
    oldest are given up. A window is never reported twice, though the clock be set back.
    """

    def __init__(
        self,
        watches: Watches,
        publish: Callable[[Sequence[Outgoing]], Awaitable[None]],
        length: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._watches = watches
        self._publish = publish
        self._length = length
        self._clock = clock
        self._window = window_of(clock(), length)
        self._unsent: deque[EndpointHealthReported] = deque(maxlen=_MOST_UNSENT)
        self._one_at_a_time = asyncio.Lock()
        self._ending: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Report each window once it is over."""
        while True:
            await asyncio.sleep(max(0.0, (self._window.end - self._clock()).total_seconds()))
            # to give a publish up costs the producer that the answers to requests go through, too
            self._ending = asyncio.ensure_future(self.end_window())
            await asyncio.shield(self._ending)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[HealthReporter]:
        """At the end, when all is answered, what was seen of the window that is not over."""
        try:
            yield self
        finally:
            try:
                async with asyncio.timeout(_LAST_WORDS_S):
                    await self.end_window()
            except TimeoutError:
                log.warning("endpoint health not reported to the end", unsent=len(self._unsent))

    async def end_window(self) -> None:
        """Report what was seen since the last window ended."""
        self._unsent.extend(self._watches.report(self._window))
        self._window = window_of(max(self._clock(), self._window.end), self._length)
        await self._send()

    async def _send(self) -> None:
        async with self._one_at_a_time:
            reports = list(self._unsent)
            if not reports:
                return
            try:
                await self._publish([Outgoing(ENDPOINT_HEALTH, report, report.id) for report in reports])
            except PublishError as error:
                log.warning("endpoint health not reported yet", unsent=len(reports), why=str(error))
                return
            sent = {report.id for report in reports}
            unsent = (report for report in self._unsent if report.id not in sent)
            self._unsent = deque(unsent, maxlen=_MOST_UNSENT)
