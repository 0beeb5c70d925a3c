"""At most so many calls of one endpoint at a time: the others wait their turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ekiben_serving.errors import EndpointBusyError


class CallSlots:
    """The calls that one endpoint is given at a time, whoever makes them; first come, first served.

    To wait here is not the endpoint's failure: its circuit breaker is told nothing of it.
    """

    def __init__(self, model: str, endpoint: str, most: int) -> None:
        self._model = model
        self._endpoint = endpoint
        self._most = most
        self._free = asyncio.Semaphore(most)

    @asynccontextmanager
    async def taken(self, wait_s: float) -> AsyncIterator[None]:
        """Hold one slot, once there is one.

        Raises:
            EndpointBusyError: none was free within `wait_s`.
        """
        try:
            async with asyncio.timeout(wait_s):
                await self._free.acquire()
        except TimeoutError:
            raise EndpointBusyError(
                self._model,
                self._endpoint,
                f"expected one of its {self._most} call slots within {wait_s:.3g} s, found all taken. "
                "Raise max_concurrent_calls if it can take more, or start more replicas.",
            ) from None
        try:
            yield
        finally:
            self._free.release()
