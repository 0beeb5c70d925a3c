"""Who waits for which result: one reader of the results topic serves every `predict` at once."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from ekiben.errors import BrokerUnreachableError
from ekiben.results import Result, Results


class Answers:
    """Gives each result to whoever waits for its request id."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._waiting: defaultdict[str, list[asyncio.Future[Result]]] = defaultdict(list)
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Stand at the end of the topic: answers to what is published from here on are seen."""
        await self._results.__aenter__()
        self._reading = asyncio.create_task(self._read(), name="ekiben-answers")

    def expect(self, request_id: str) -> asyncio.Future[Result]:
        """The result of a request that is about to be published. Cancel it to stop waiting."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        if self._reading is not None and self._reading.done():
            self._break(future)
            return future
        self._waiting[request_id].append(future)
        future.add_done_callback(lambda done: self._forget(request_id, done))
        return future

    async def close(self) -> None:
        """Stop reading; whoever still waits is told."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self._results.close()

    async def _read(self) -> None:
        try:
            async for result in self._results:
                for future in self._waiting.pop(result.request_id, ()):
                    if not future.done():
                        future.set_result(result)
        finally:
            for future in [future for futures in self._waiting.values() for future in futures]:
                self._break(future)

    def _break(self, future: asyncio.Future[Result]) -> None:
        if not future.done():
            future.set_exception(
                BrokerUnreachableError(
                    expected="the results to be read until the answer comes",
                    found="their reader stopped, because the client was closed or it failed",
                    attempt="`ekiben results --from-beginning`: the request stands, its answer can be read",
                )
            )

    def _forget(self, request_id: str, done: asyncio.Future[Result]) -> None:
        futures = self._waiting.get(request_id)
        if futures is None:
            return
        futures[:] = [future for future in futures if future is not done]
        if not futures:
            del self._waiting[request_id]
