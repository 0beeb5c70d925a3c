"""Reading the routes to their end for many requests at a time: anybody may ask for a model that is away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ekiben_contracts.event import Event
from ekiben_inference_gateway.routing import RouteTable


class SharedReads:
    """A RouteTable that is read to its end once at a time, whoever asks.

    Nobody shares a read that began before they asked: a route that was published between would be missed.
    They wait for the next one, all of them together.
    """

    def __init__(self, routes: RouteTable) -> None:
        self._routes = routes
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    def get(self, key: str, /) -> Event | None:
        """See RouteTable."""
        return self._routes.get(key)

    def values(self) -> Iterable[Event]:
        """See RouteTable."""
        return self._routes.values()

    async def catch_up(self) -> None:
        """See RouteTable. Whoever gives up waiting takes the read from nobody.

        Raises:
            TimeoutError: the routes could not be read to their end, which all who share the read are told.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._read(self._running))
        await asyncio.shield(self._next)

    async def _read(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        await self._routes.catch_up()
