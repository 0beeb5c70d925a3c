"""The one thread that asks the feature store, so that the event loop never waits for it.

A call that hangs cannot be ended. While one does, everybody else is told so at once: nothing piles up
behind it, and whatever it comes to is dropped.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from datetime import datetime
from queue import SimpleQueue
from typing import TypeVar

from structlog.stdlib import get_logger

from ekiben_serving.features.errors import FeatureStoreError
from ekiben_serving.features.looking_up import Entity, Found, look_up
from ekiben_serving.features.store import FeatureStore

log = get_logger(__name__)
T = TypeVar("T")
OpenStore = Callable[[], FeatureStore]


class StoreReader:
    """Opens the store when it is first needed, in a thread that does not outlive the process."""

    def __init__(self, open_store: OpenStore, clock: Callable[[], datetime]) -> None:
        self._open_store = open_store
        self._clock = clock
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.turn = asyncio.Lock()
        self._hangs: Callable[[], bool] = lambda: False
        self._store: FeatureStore | None = None

    @property
    def is_open(self) -> bool:
        """Whether the store was opened once."""
        return self._store is not None

    async def open(self) -> None:
        """Have it open before anybody waits for it: that may take seconds.

        Raises:
            FeatureStoreError: it cannot be opened now.
        """
        async with self.turn:
            await asyncio.wrap_future(self._put(lambda _: None))

    async def read(self, service: str, entities: Sequence[Entity], timeout_s: float) -> list[Found]:
        """What the store knows of each. Whoever asks holds the `turn`: waiting for it is no part of a read.

        Raises:
            FeatureStoreError: it has no answer, or none in time.
        """
        if self._hangs():
            raise FeatureStoreError(f"expected features of {service}, found an earlier read that hangs")
        now = self._clock().timestamp()
        reading = self._put(lambda store: look_up(store, service, entities, now))
        waiting = asyncio.wrap_future(reading)
        await asyncio.wait([waiting], timeout=timeout_s)
        if waiting.done():
            return waiting.result()
        waiting.cancel()  # the call itself goes on
        raise FeatureStoreError(
            f"expected features of {service} within {timeout_s:g} s, found no answer; see whether its "
            "online store answers, or allow it more in EKIBEN_FEATURES_TIMEOUT_S"
        )

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[StoreReader]:
        """Run the thread; it ends behind what it does, and one that hangs with the process."""
        threading.Thread(target=self._work, name="feature-store", daemon=True).start()
        try:
            yield self
        finally:
            self._jobs.put(None)

    def _put(self, ask: Callable[[FeatureStore], T]) -> Future[T]:
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(ask(self._opened()))
            except Exception as error:  # noqa: BLE001 - raised again where it is awaited
                future.set_exception(error)

        self._jobs.put(work)
        self._hangs = lambda: not future.done()
        return future

    def _opened(self) -> FeatureStore:
        if self._store is None:
            self._store = self._open_store()
        return self._store

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
        if self._store is not None:
            self._store.close()


async def open_when_needed(reader: StoreReader, is_needed: Callable[[], bool], every_s: float) -> None:
    """Open the store once a route names a feature service, ahead of the first request that needs it."""
    while True:
        await asyncio.sleep(every_s)
        if not reader.is_open and is_needed():
            try:
                await reader.open()
            except FeatureStoreError as error:
                log.warning("no feature store yet", reason=str(error))
