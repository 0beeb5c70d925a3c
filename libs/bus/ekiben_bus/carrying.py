"""Carrying one batch through: answered, published when its turn comes, and only then finished."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

from aiokafka import TopicPartition

from ekiben_bus.batches import BatchLoop
from ekiben_bus.membership import Membership
from ekiben_bus.metrics import BusMetrics, OldestUnanswered
from ekiben_bus.offsets import first_offsets
from ekiben_bus.outbox import Outbox
from ekiben_bus.pipeline import Batch, Left, is_finished
from ekiben_bus.records import Record


class Carrier:
    """Carries the batches of one topic, and counts them."""

    def __init__(
        self, topic: str, loop: BatchLoop, membership: Membership, metrics: BusMetrics, timeout_s: float
    ) -> None:
        self._topic = topic
        self._loop = loop
        self._membership = membership
        self._metrics = metrics
        self._timeout_s = timeout_s
        self._oldest = OldestUnanswered(metrics, topic)

    def released(self) -> None:
        """Whatever is unanswered is for somebody else now."""
        self._oldest.released()

    async def carry(self, records: Sequence[Record], before: Batch | None) -> Left:
        """Answer all, and publish once the batch `before` is finished. Never raises but when cancelled."""
        ticket = self._oldest.reading(min(record.timestamp for record in records))
        reached = first_offsets(records)
        try:
            return await self._carry_within_time(records, reached, before, ticket)
        except Exception as error:  # noqa: BLE001 - fail closed, whatever it was: all of it is read again
            self._metrics.failed.labels(self._topic).inc()
            late = isinstance(error, TimeoutError) and (before is None or before.done())
            return Left(len(records), again=reached, why=repr(error), overran=late)
        finally:
            self._oldest.failed(ticket)

    async def _carry_within_time(
        self,
        records: Sequence[Record],
        reached: Mapping[TopicPartition, int],
        before: Batch | None,
        ticket: int,
    ) -> Left:
        clock = _Clock()
        async with asyncio.timeout(self._timeout_s):
            outbox = await self._carry_through(records, reached, before, clock)
        if outbox is None:
            return Left(len(records), again=reached, is_behind=True)
        self._membership.finish(outbox.finished)
        self._oldest.answered(ticket, _oldest_left(records, outbox))
        seconds = clock.read()
        self._count(outbox, len(records), seconds)
        return _left(outbox, len(records), seconds)

    async def _carry_through(
        self,
        records: Sequence[Record],
        reached: Mapping[TopicPartition, int],
        before: Batch | None,
        clock: _Clock,
    ) -> Outbox | None:
        """What was published. None: the batch before will be read again, and this one after it."""
        outbox = await self._loop.decide(records)
        with clock.stopped():
            is_next = before is None or await is_finished(before)
        if not is_next:
            return None
        await self._membership.prove(reached)
        await self._loop.publish(outbox)
        return outbox

    def _count(self, outbox: Outbox, records: int, seconds: float) -> None:
        self._metrics.batch_seconds.labels(self._topic).observe(seconds)
        self._metrics.batch_records.labels(self._topic).observe(records)
        self._metrics.dead_letters.labels(self._topic).inc(outbox.dead_letters)
        self._metrics.records.labels(self._topic).inc(outbox.answered)
        self._metrics.moved.labels(self._topic).inc(outbox.moved)
        if outbox.held:
            self._metrics.held.labels(self._topic).inc()


class _Clock:
    """How long a batch takes by itself: a wait for the one before says nothing about its size."""

    def __init__(self) -> None:
        self._time = asyncio.get_running_loop().time
        self._started = self._time()

    @contextmanager
    def stopped(self) -> Generator[None]:
        """What passes in the block does not count."""
        stopped_at = self._time()
        yield
        self._started += self._time() - stopped_at

    def read(self) -> float:
        """Seconds so far."""
        return self._time() - self._started


def _left(outbox: Outbox, records: int, seconds: float) -> Left:
    return Left(
        records,
        seconds,
        again=_next_offsets(outbox),
        why=next(iter(outbox.held.values()), ""),
        is_held=bool(outbox.held),
        due_in_s=outbox.due_in_s,
    )


def _next_offsets(outbox: Outbox) -> dict[TopicPartition, int]:
    """Where to read on in the partitions whose rest is left."""
    return {**outbox.early, **{place: outbox.finished[place] for place in outbox.held}}


def _oldest_left(records: Sequence[Record], outbox: Outbox) -> int | None:
    """When the oldest record that is held, or not due yet, was written; None where none is left."""
    next_offsets = _next_offsets(outbox)
    if not next_offsets:
        return None
    return min(
        record.timestamp
        for record in records
        if record.offset
        >= next_offsets.get(TopicPartition(record.topic, record.partition), record.offset + 1)
    )
