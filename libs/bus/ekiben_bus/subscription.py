"""One topic consumed by one service, batch after batch: answered, published, and only then finished."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition
from structlog.stdlib import get_logger

from ekiben_bus.backing_off import backoff, is_power_of_two
from ekiben_bus.batches import BatchLoop
from ekiben_bus.cluster import Cluster
from ekiben_bus.membership import Membership, Reader
from ekiben_bus.metrics import BusMetrics, OldestUnanswered
from ekiben_bus.outbox import Outbox
from ekiben_bus.records import Record
from ekiben_bus.settings import ServiceSettings

log = get_logger(__name__)

_FAILURES_UNTIL_NOT_READY = 3
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
        self._loop = loop
        self._settings = settings
        self._metrics = metrics
        self._oldest = OldestUnanswered(metrics, topic)
        self._membership = Membership(topic, group, cluster, settings, Reader(self._read, self._release))
        self._in_flight: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._failures = 0
        self._overruns = 0
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
        """Drain: finish the batch in flight within the drain timeout, commit, leave the group."""
        self._stopping.set()
        await self._settle(self._settings.drain_timeout_s)
        await self._membership.stop()

    async def _read(self, records: Sequence[Record]) -> None:
        if self._stopping.is_set() or not self._membership.is_assigned:
            self._membership.rewind(_first_offsets(records))  # unread for whoever owns the partitions next
            await asyncio.sleep(_TURN_S)
            return
        self._in_flight = asyncio.create_task(self._answer(self._as_many_as_fit(records)))
        try:
            await asyncio.wait([self._in_flight])
        except asyncio.CancelledError:
            self._in_flight.cancel()
            raise
        finally:
            self._in_flight = None
        if self._failures:
            await self._pause(
                backoff(self._failures, self._settings.backoff_s, self._settings.longest_backoff_s)
            )
        elif self._due_in_s:
            await self._pause(min(self._due_in_s, _LONGEST_PAUSE_S))

    def _as_many_as_fit(self, records: Sequence[Record]) -> Sequence[Record]:
        """Half as many after each batch that took too long: the same one would take too long for ever."""
        most = max(1, len(records) >> self._overruns)
        if most < len(records):
            self._membership.rewind(_first_offsets(records[most:]))
        return records[:most]

    async def _answer(self, records: Sequence[Record]) -> None:
        started = asyncio.get_running_loop().time()
        self._oldest.reading(min(record.timestamp for record in records))
        try:
            async with asyncio.timeout(self._settings.batch_timeout_s):
                outbox = await self._carry_through(records)
        except Exception as error:  # noqa: BLE001 - fail closed, whatever it was: nothing is finished
            self._metrics.failed.labels(self.topic).inc()
            self._overruns += isinstance(error, TimeoutError)
            self._holding = False
            self._fail(repr(error), _first_offsets(records), len(records))
            return
        self._overruns = max(0, self._overruns - 1)
        self._membership.finish(outbox.finished)
        self._oldest.answered(_oldest_left(records, outbox))
        self._count(outbox, len(records), asyncio.get_running_loop().time() - started)
        self._due_in_s = outbox.due_in_s
        self._membership.rewind(
            {place: offset for place, offset in outbox.early.items() if place not in outbox.held}
        )
        self._holding = bool(outbox.held)
        if outbox.held:
            self._metrics.held.labels(self.topic).inc()
            again = {place: outbox.finished[place] for place in outbox.held}
            self._fail(next(iter(outbox.held.values())), again, len(records))
        else:
            self._failures = 0

    async def _carry_through(self, records: Sequence[Record]) -> Outbox:
        outbox = await self._loop.decide(records)
        await self._membership.prove(_first_offsets(records))
        await self._loop.publish(outbox)
        return outbox

    def _count(self, outbox: Outbox, records: int, seconds: float) -> None:
        self._metrics.batch_seconds.labels(self.topic).observe(seconds)
        self._metrics.batch_records.labels(self.topic).observe(records)
        self._metrics.dead_letters.labels(self.topic).inc(outbox.dead_letters)
        self._metrics.records.labels(self.topic).inc(outbox.answered)
        self._metrics.moved.labels(self.topic).inc(outbox.moved)

    def _fail(self, trouble: str, again_from: Mapping[TopicPartition, int], records: int) -> None:
        self._failures += 1
        self._trouble = trouble
        if is_power_of_two(self._failures):  # an outage of hours must not fill the log
            log.warning(
                "batch not finished, it will be read again",
                topic=self.topic,
                records=records,
                why=trouble,
                failures_in_a_row=self._failures,
            )
        self._membership.rewind(again_from)

    async def _pause(self, seconds: float) -> None:
        """Read nothing for a while. Short, so that the group does not take us for dead."""
        with contextlib.suppress(TimeoutError):
            # not asyncio.wait_for: before Python 3.12 it swallows a cancellation that meets the event
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _release(self, timeout_s: float) -> None:
        """What was read is for whoever owns the partitions next."""
        await self._settle(timeout_s)
        self._oldest.answered(None)

    async def _settle(self, timeout_s: float) -> None:
        """Wait for the batch in flight; one that does not end in time is cancelled, unfinished."""
        batch = self._in_flight
        if batch is None:
            return
        _, late = await asyncio.wait([batch], timeout=timeout_s)
        if late:
            log.warning("batch given up", topic=self.topic, waited_s=timeout_s)
            batch.cancel()
            await asyncio.wait([batch])


def _first_offsets(records: Sequence[Record]) -> dict[TopicPartition, int]:
    first: dict[int, int] = {}
    for record in records:
        if record.partition not in first:
            first[record.partition] = record.offset
    topic = records[0].topic  # a subscription is to one
    return {TopicPartition(topic, partition): offset for partition, offset in first.items()}


def _oldest_left(records: Sequence[Record], outbox: Outbox) -> int | None:
    """When the oldest record that is held, or not due yet, was written; None where none is left."""
    if not outbox.held and not outbox.early:
        return None
    next_offsets = {**outbox.early, **{place: outbox.finished[place] for place in outbox.held}}
    return min(
        record.timestamp
        for record in records
        if record.offset
        >= next_offsets.get(TopicPartition(record.topic, record.partition), record.offset + 1)
    )
