"""One batch on its way: decide, pack, publish, and only then call it finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from ekiben_bus.deciding import Decider
from ekiben_bus.outbox import Outbox, Packer
from ekiben_bus.publishing import PartitionPublisher
from ekiben_bus.records import Record


class BatchLoop:
    """Carries a batch through. What it returns has been acknowledged by the broker."""

    def __init__(
        self, decider: Decider, packer: Packer, publisher: PartitionPublisher, clock: Callable[[], datetime]
    ) -> None:
        self._decider = decider
        self._packer = packer
        self._publisher = publisher
        self._clock = clock

    async def run(self, records: Sequence[Record]) -> Outbox:
        """Answer a batch.

        Raises:
            PublishError: something was not acknowledged, so nothing of the batch is finished.
        """
        verdicts = await self._decider.decide(records)
        outbox = self._packer.pack(records, verdicts, self._clock())
        await self._publisher.publish(outbox.records)
        return outbox
