"""Carrying one batch through: answered, published when its turn comes, and only then finished."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import TopicPartition

from ekiben_bus.batches import BatchLoop
from ekiben_bus.departures import BehindError, Turn
from ekiben_bus.membership import Membership
from ekiben_bus.metrics import BusMetrics, OldestUnanswered
from ekiben_bus.offsets import first_offsets
from ekiben_bus.outbox import Outbox
from ekiben_bus.pipeline import Left
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

    async def carry(self, records: Sequence[Record], turn: Turn) -> Left:
        """Answer all, and publish in turn. Never raises but when cancelled."""
        ticket = self._oldest.reading(min(record.timestamp for record in records))
        try:
            return await self._carry_within_time(records, turn, ticket)
        except BehindError:
            return Left(len(records), again=first_offsets(records), is_behind=True)
        except Exception as error:  # noqa: BLE001 - fail closed, whatever it was: all of it is read again
            self._metrics.failed.labels(self._topic).inc()
            late = isinstance(error, TimeoutError) and turn.is_next
            return Left(len(records), again=first_offsets(records), why=repr(error), overran=late)
        finally:
            self._oldest.failed(ticket)

    async def depart(self, outboxes: Sequence[Outbox]) -> None:
        """Publish what is ready, if the partitions are ours still."""
        reached: dict[TopicPartition, int] = {}
        for outbox in reversed(outboxes):
            reached |= outbox.reached  # of the first of them: nothing behind it is finished yet
        await self._membership.prove(reached)
        await self._loop.publish(outboxes)

    async def _carry_within_time(self, records: Sequence[Record], turn: Turn, ticket: int) -> Left:
        now = asyncio.get_running_loop().time
        began = now()
        async with asyncio.timeout(self._timeout_s):
            outbox = await self._loop.decide(records)
            waited = await turn.leave(outbox)
        self._membership.finish(outbox.finished)
        self._oldest.answered(ticket, _oldest_left(records, outbox))
        seconds = now() - began - waited  # what others take says nothing about its size
        self._count(outbox, len(records), seconds)
        return _left(outbox, len(records), seconds)

    def _count(self, outbox: Outbox, records: int, seconds: float) -> None:
        self._metrics.batch_seconds.labels(self._topic).observe(seconds)
        self._metrics.batch_records.labels(self._topic).observe(records)
        self._metrics.dead_letters.labels(self._topic).inc(outbox.dead_letters)
        self._metrics.records.labels(self._topic).inc(outbox.answered)
        self._metrics.moved.labels(self._topic).inc(outbox.moved)
        if outbox.held:
            self._metrics.held.labels(self._topic).inc()


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
