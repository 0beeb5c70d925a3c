"""A topic that is read only while there is an occasion to. In between its group is left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiokafka.errors import KafkaError
from structlog.stdlib import get_logger

from ekiben_bus.subscription import Subscription

log = get_logger(__name__)

_LOOK_S = 0.25
_AGAIN_IN_S = 2.0


@dataclass(frozen=True, slots=True)
class Occasion:
    """When a service has use for a topic, and for how much of what was written before it came to read it.

    Everything older is given up, and counted: a reader that may fall behind must not do so for ever.
    """

    is_there: Callable[[], bool]
    longest_lag_s: float


class OccasionalSubscription:
    """Subscribes anew at each occasion, once `prepare` has set the group to where it begins."""

    def __init__(
        self,
        topic: str,
        occasion: Occasion,
        subscribe: Callable[[], Subscription],
        prepare: Callable[[], Awaitable[None]],
    ) -> None:
        self.topic = topic
        self._occasion = occasion
        self._subscribe = subscribe
        self._prepare = prepare
        self._current: Subscription | None = None
        self._living: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def is_assigned(self) -> bool:
        """Whether some partition is ours now."""
        return self._current is not None and self._current.is_assigned

    @property
    def problem(self) -> str | None:
        """Why it cannot be read; None when it can, or need not."""
        if self._current is not None:
            return self._current.problem
        return f"{self.topic}: about to be read" if self._occasion.is_there() else None

    async def start(self) -> asyncio.Task[None]:
        """Begin to look out for an occasion. The task ends only if this subscription cannot go on."""
        self._living = asyncio.create_task(self._live())
        return self._living

    async def stop(self) -> None:
        """Drain, and look out no more."""
        if self._living is not None:
            self._living.cancel()
            await asyncio.wait([self._living])
        await self._end()

    async def _live(self) -> None:
        while True:
            if not self._occasion.is_there():
                await asyncio.sleep(_LOOK_S)
                continue
            try:
                await self._prepare()
                self._current = self._subscribe()
                reading = await self._current.start()
            except KafkaError as error:
                log.warning("the group cannot be joined", topic=self.topic, error=repr(error))
                await self._end()
                await asyncio.sleep(_AGAIN_IN_S)
                continue
            await self._while_there(reading)
            await self._end()

    async def _while_there(self, reading: asyncio.Task[None]) -> None:
        while self._occasion.is_there():
            done, _ = await asyncio.wait([reading], timeout=_LOOK_S)
            if done:
                reading.result()
                return

    async def _end(self) -> None:
        """A stop that meets the end of an occasion cuts it off nowhere: it waits for the same end."""
        current, self._current = self._current, None
        if current is not None:
            self._ending = asyncio.create_task(current.stop())
        if self._ending is not None:
            await asyncio.shield(self._ending)
            self._ending = None
