"""One topic consumed by one service: batch after batch, several on their way where there is much to do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from aiokafka import TopicPartition
from structlog.stdlib import get_logger

from ekiben_bus.backing_off import backoff, is_power_of_two
from ekiben_bus.backlog import Backlog
from ekiben_bus.batches import BatchLoop
from ekiben_bus.carrying import Carrier
from ekiben_bus.cluster import Cluster
from ekiben_bus.membership import Membership, Reader
from ekiben_bus.metrics import BusMetrics
from ekiben_bus.offsets import first_offsets
from ekiben_bus.pipeline import Left, Pipeline
from ekiben_bus.polling import NOTHING, Polled
from ekiben_bus.settings import ServiceSettings

log = get_logger(__name__)

_FAILURES_UNTIL_NOT_READY = 3
_RECORDS_MORE = 64
_TURN_S = 0.01
_LONGEST_PAUSE_S = 1.0


class Subscription:
    """Reads one topic for one consumer group, and marks exactly what is finished.

    What `waits_aside`, as parked records do, may be held for long without being a problem.
    """

    def __init__(
        self,
        topic: str,
        group: str,
        loop: BatchLoop,
        cluster: Cluster,
        settings: ServiceSettings,
        metrics: BusMetrics,
        *,
        waits_aside: bool = False,
    ) -> None:
        self.topic = topic
        self._waits_aside = waits_aside
        self._settings = settings
        self._membership = Membership(topic, group, cluster, settings, Reader(self._read, self._release))
        self._carrier = Carrier(topic, loop, self._membership, metrics, settings.batch_timeout_s)
        self._pipeline = Pipeline(1 if waits_aside else settings.batches_in_flight, self._carrier.depart)
        self._most = min(settings.batch_records, _RECORDS_MORE)  # who knows how long they take
        self._stopping = asyncio.Event()
        self._poll: asyncio.Task[Polled] | None = None
        self._again: dict[TopicPartition, int] = {}
        self._failures = 0
        self._trouble = ""
        self._due_in_s = 0.0
        self._holding = False

    @property
    def is_assigned(self) -> bool:
        """Whether some partition is ours now."""
        return self._membership.owns

    @property
    def problem(self) -> str | None:
        """Why this subscription is not ready: nothing to read from, or no progress. None when it is."""
        if self._membership.problem is not None:
            return self._membership.problem
        if self._failures >= _FAILURES_UNTIL_NOT_READY and not (self._waits_aside and self._holding):
            return f"{self.topic}: no progress in the last {self._failures} batches: {self._trouble}"
        return None

    async def start(self) -> asyncio.Task[None]:
        """Join the group and begin to read. The task ends only if this subscription cannot go on."""
        return await self._membership.start()

    async def stop(self) -> None:
        """Drain: finish the batches in flight within the drain timeout, commit, leave the group."""
        self._stopping.set()
        await self._settle(self._settings.drain_timeout_s)
        await self._membership.stop()
        self._carrier.released()

    # ---- reading

    async def _read(self, polled: Polled) -> None:
        """Carry these through, and what comes meanwhile, until nothing is on its way and nothing comes."""
        self._again = {}  # of an assignment that is over
        try:
            while polled.records:
                polled = await self._read_on(polled)
        except asyncio.CancelledError:
            if self._poll is not None:
                self._poll.cancel()
            self._poll = None
            await self._pipeline.abandon()
            raise

    async def _read_on(self, polled: Polled) -> Polled:
        """As long as the partitions are ours and all goes well. Returns what was read of the next ones."""
        unread, generation = Backlog(polled.records), polled.generation
        more = await self._carry_on(unread, generation)
        await self._pipeline.settle()
        self._reap()
        if self._poll is not None:
            more, self._poll = await self._poll, None
        if more.generation == generation:
            unread.add(more.records)
            more = NOTHING
        self._read_again(first_offsets(unread.records))
        await self._turn_back(generation)
        return more

    async def _carry_on(self, unread: Backlog, generation: int) -> Polled:
        """Begin batches, and poll for more, until there is a reason to stop. Returns what was read last."""
        now = asyncio.get_running_loop().time
        polled_at, patience_s = now(), self._settings.batch_timeout_s / 2
        while self._goes_on(generation):
            if self._begins(unread):
                continue
            if self._poll is None and not unread.fills(self._most):
                self._poll = asyncio.create_task(self._membership.poll(self._most))
            elif self._poll is None and now() - polled_at > patience_s:
                break  # the group takes one that does not poll for dead
            await _first_of(self._poll, self._pipeline.oldest)
            self._reap()
            if self._poll is None or not self._poll.done():
                continue
            more, self._poll = self._poll.result(), None
            polled_at = now()
            if more.generation != generation or not (more.records or unread.records or self._pipeline.oldest):
                return more
            unread.add(more.records)
        return NOTHING

    def _goes_on(self, generation: int) -> bool:
        return not self._again and not self._stopping.is_set() and self._membership.is_in(generation)

    def _begins(self, unread: Backlog) -> bool:
        """A batch begins when it is full, or when nothing is on its way: the more there is, the fuller."""
        is_idle = self._pipeline.oldest is None
        if not unread.records or self._pipeline.is_full or not (is_idle or unread.fills(self._most)):
            return False
        self._pipeline.start(partial(self._carrier.carry, unread.take(self._most)))
        return True

    def _reap(self) -> None:
        for left in self._pipeline.reap():
            self._read_again(left.again)
            if left.is_behind:
                continue
            self._due_in_s, self._holding = left.due_in_s, left.is_held
            if left.why or left.is_held:
                self._fail(left)
            else:
                self._failures = 0
            self._most = self._size_after(left)

    def _size_after(self, left: Left) -> int:
        """Additive increase, multiplicative decrease. What overran would do so again as large as it was.

        On a busy machine a small batch takes nearly as long as a large one: only what overran gets smaller
        than the first was.
        """
        if left.overran:
            return max(1, min(self._most, left.records) // 2)
        if left.seconds > self._settings.batch_target_s:
            return max(min(self._most, _RECORDS_MORE), min(self._most, left.records) * 3 // 4)
        if left.why or left.records < self._most:
            return self._most
        return min(self._settings.batch_records, self._most + min(self._most, _RECORDS_MORE))

    def _read_again(self, offsets: Mapping[TopicPartition, int]) -> None:
        for place, offset in offsets.items():
            self._again.setdefault(place, offset)  # told in the order they were read: the first is the least

    def _fail(self, left: Left) -> None:
        self._failures += 1
        self._trouble = left.why
        if is_power_of_two(self._failures):  # an outage of hours must not fill the log
            log.warning(
                "batch not finished, it will be read again",
                topic=self.topic,
                records=left.records,
                why=left.why,
                failures_in_a_row=self._failures,
            )

    async def _turn_back(self, generation: int) -> None:
        """Now that nothing is on its way: back to what was left, and a rest where that is of use."""
        again, self._again = self._again, {}
        self._membership.rewind(again, generation)
        if self._failures:
            await self._pause(
                backoff(self._failures, self._settings.backoff_s, self._settings.longest_backoff_s)
            )
        elif self._due_in_s:
            await self._pause(min(self._due_in_s, _LONGEST_PAUSE_S))
        elif again:
            await asyncio.sleep(_TURN_S)

    async def _pause(self, seconds: float) -> None:
        """Read nothing for a while. Short, so that the group does not take us for dead."""
        with contextlib.suppress(TimeoutError):
            # not asyncio.wait_for: before Python 3.12 it swallows a cancellation that meets the event
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    # ---- letting go

    async def _release(self, timeout_s: float) -> None:
        """What was read is for whoever owns the partitions next."""
        await self._settle(timeout_s)
        self._carrier.released()

    async def _settle(self, timeout_s: float) -> None:
        """Wait for what is on its way; what does not end in time is cancelled, unfinished."""
        if not await self._pipeline.settle(timeout_s):
            log.warning("batch given up", topic=self.topic, waited_s=timeout_s)


async def _first_of(*tasks: asyncio.Task[Any] | None) -> None:
    await asyncio.wait([task for task in tasks if task is not None], return_when=asyncio.FIRST_COMPLETED)
