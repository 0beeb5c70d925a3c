"""The one thread that asks the feature store, so that the event loop never waits for it.

A call that hangs cannot be ended. Once somebody has waited for one in vain, everybody else is told so at
once: nothing piles up behind it, and whatever it comes to is dropped.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from datetime import datetime
from queue import SimpleQueue
from time import monotonic
from typing import TypeVar

from ekiben_serving.features.errors import (
    FeatureStoreBusyError,
    FeatureStoreError,
    FeatureStoreSilentError,
)
from ekiben_serving.features.looking_up import Entity, Found, look_up
from ekiben_serving.features.store import FeatureStore

T = TypeVar("T")
OpenStore = Callable[[], FeatureStore]


class StoreReader:
    """Opens the store when it is first needed, in a thread that does not outlive the process."""

    def __init__(self, open_store: OpenStore, clock: Callable[[], datetime]) -> None:
        self._open_store = open_store
        self._clock = clock
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._turn = asyncio.Lock()
        self._running: object = None
        self._hanging: object = None
        self._store: FeatureStore | None = None
        self._opened_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether the store was opened once."""
        return self._store is not None

    @property
    def open_for_s(self) -> float:
        """Since when, in seconds; infinite before. What failed while it was opened says nothing of it now."""
        return math.inf if self._opened_at is None else monotonic() - self._opened_at

    async def open(self) -> None:
        """Have it open before anybody waits for it: that may take seconds, and takes nobody's turn.

        Raises:
            FeatureStoreError: it cannot be opened now.
        """
        self._refuse_behind_a_hanging_call("to open the feature store")
        await asyncio.wrap_future(self._put(lambda _: None))

    @asynccontextmanager
    async def turn(self, within_s: float) -> AsyncIterator[None]:
        """Be the one whose read is next. Waiting for that is no part of a read, and bounded like one.

        Raises:
            FeatureStoreBusyError: the reads of others took longer.
        """
        try:
            async with asyncio.timeout(within_s):
                await self._turn.acquire()
        except TimeoutError:
            raise FeatureStoreBusyError(
                f"expected a turn at the feature store within {within_s:g} s, found the reads of others; "
                "give models services of fewer views, or allow more in EKIBEN_FEATURES_TIMEOUT_S"
            ) from None
        try:
            yield
        finally:
            self._turn.release()

    async def read(self, service: str, entities: Sequence[Entity], timeout_s: float) -> list[Found]:
        """What the store knows of each. Whoever asks holds the `turn`; a call that runs is waited for.

        Raises:
            FeatureStoreError: it has no answer.
            FeatureStoreSilentError: it has none in time.
        """
        self._refuse_behind_a_hanging_call(f"features of {service}")
        now = self._clock().timestamp()
        waiting = asyncio.wrap_future(self._put(lambda store: look_up(store, service, entities, now)))
        try:
            await asyncio.wait([waiting], timeout=timeout_s)
            if waiting.done():
                return waiting.result()
        finally:
            waiting.cancel()  # what runs goes on; what has not begun never will
        self._hanging = self._running
        raise FeatureStoreSilentError(
            f"expected features of {service} within {timeout_s:g} s, found no answer; see whether its "
            "online store answers, or allow it more in EKIBEN_FEATURES_TIMEOUT_S"
        )

    def _refuse_behind_a_hanging_call(self, expected: str) -> None:
        if self._hanging is not None and self._hanging is self._running:
            raise FeatureStoreSilentError(f"expected {expected}, found an earlier call that hangs")

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
            self._running = future
            try:
                found = ask(self._opened())
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                self._running = None
                future.set_exception(_outlived(error))
            else:
                self._running = None
                future.set_result(found)

        self._jobs.put(work)
        return future

    def _opened(self) -> FeatureStore:
        if self._store is None:
            self._store = self._open_store()
            self._opened_at = monotonic()
        return self._store

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
        if self._store is not None:
            self._store.close()


def _outlived(error: BaseException) -> Exception:
    """A driver's panic is no Exception, and would end the event loop's tasks as it would end the thread."""
    if isinstance(error, Exception):
        return error
    return FeatureStoreError(
        f"expected an answer of the feature store, found {type(error).__name__}: {error}; see its driver"
    )
