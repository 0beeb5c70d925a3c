"""What becomes of batches: decided one by one, published together where they are ready together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from aiokafka import TopicPartition

from ekiben_bus.deciding import Decider
from ekiben_bus.lanes import Lane, restore
from ekiben_bus.offsets import first_offsets
from ekiben_bus.outbox import Outbox, Packer
from ekiben_bus.publishing import PartitionPublisher
from ekiben_bus.records import Record


class BatchLoop:
    """Carries the batches of one lane through: first `decide`, then `publish`."""

    def __init__(
        self,
        lane: Lane,
        decider: Decider,
        packer: Packer,
        publisher: PartitionPublisher,
        clock: Callable[[], datetime],
    ) -> None:
        self._lane = lane
        self._decider = decider
        self._packer = packer
        self._publisher = publisher
        self._clock = clock

    async def decide(self, read: Sequence[Record]) -> Outbox:
        """What a batch has to publish. Nothing has left yet."""
        due, early = self._split(read)
        records = due if self._lane.is_main else [restore(record) for record in due]
        verdicts = await self._decider.decide(records)
        outbox = self._packer.pack(due, records, verdicts, self._clock())
        outbox.reached = first_offsets(read)
        self._leave(early, outbox)
        return outbox

    async def publish(self, outboxes: Sequence[Outbox]) -> None:
        """Publish all of them, in their order, and wait for every acknowledgement.

        Raises:
            PublishError: something was not acknowledged, so nothing of these batches is finished.
        """
        await self._publisher.publish([record for outbox in outboxes for record in outbox.moves])
        await self._publisher.publish([record for outbox in outboxes for record in outbox.records])

    def _split(self, read: Sequence[Record]) -> tuple[Sequence[Record], Sequence[Record]]:
        """What is due, and what is not due yet with all behind it: stamps are of many clocks, in no order."""
        if not self._lane.delay_s:
            return read, ()
        latest = (self._clock().timestamp() - self._lane.delay_s) * 1000
        due: list[Record] = []
        early: list[Record] = []
        waiting: set[int] = set()
        for record in read:
            if record.timestamp > latest:
                waiting.add(record.partition)
            (early if record.partition in waiting else due).append(record)
        return due, early

    def _leave(self, early: Sequence[Record], outbox: Outbox) -> None:
        """What is not due stays where it is, the first of each partition and all behind it."""
        stamps: list[int] = []
        for record in early:
            place = TopicPartition(record.topic, record.partition)
            if place not in outbox.early:
                outbox.early[place] = record.offset
                stamps.append(record.timestamp)
        if stamps:
            first = min(stamps) / 1000
            outbox.due_in_s = max(0.0, first + self._lane.delay_s - self._clock().timestamp())
