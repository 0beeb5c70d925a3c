"""Committing what is finished, which is also how a consumer proves that its partitions are still its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from structlog.stdlib import get_logger

from ekiben_bus.cluster import Consumer
from ekiben_bus.lease import Lease
from ekiben_bus.offsets import OffsetTracker

log = get_logger(__name__)

_COMMITTED_WITHIN_S = 10.0


class LostPartitionsError(Exception):
    """The group does not take us for a member any more: whoever owns the partitions now answers."""


class Commits:
    """The offsets of one consumer in its group. One commit at a time: a late one never undoes a later one.

    Kafka refuses the commit of a member that it has expelled (KIP-62), so a commit that is accepted
    says that until then nobody else was given our partitions.
    """

    def __init__(self, topic: str, lease_s: float) -> None:
        self._topic = topic
        self._tracker = OffsetTracker()
        self._lease = Lease(lease_s)
        self._turn = asyncio.Lock()

    def assigned(self) -> None:
        """The group has just given us our partitions."""
        self._lease.renew(_now())

    def finish(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Everything before these offsets is answered and acknowledged."""
        self._tracker.finish(offsets)

    def forget(self, partitions: Iterable[TopicPartition]) -> None:
        """These partitions are not ours any more: never commit for them again."""
        self._tracker.forget(partitions)
        self._lease.end()

    def forget_all(self) -> None:
        """The group is left: whatever could not be committed is read again by whoever owns it next."""
        self._tracker = OffsetTracker()
        self._lease.end()

    async def flush(self, consumer: Consumer) -> None:
        """Commit what is finished. If that fails it stays to be committed, and the log says why."""
        if not self._tracker.uncommitted():
            return
        try:
            await self._commit(consumer, {})
        except (KafkaError, TimeoutError) as error:
            log.warning("offsets not committed, will try again", topic=self._topic, error=repr(error))

    async def prove(self, consumer: Consumer, reached: Mapping[TopicPartition, int]) -> None:
        """Before anything is published: make sure that these partitions, read up to here, are still ours.

        Asks the group only if it has not confirmed us for a while.

        Raises:
            LostPartitionsError: they are not, or the group does not answer.
        """
        if self._lease.holds(_now()):
            return
        try:
            await self._commit(consumer, reached)
        except (KafkaError, TimeoutError) as error:
            raise LostPartitionsError(
                f"expected to be a member of the group still, found {error!r}; nothing was published"
            ) from error

    async def _commit(self, consumer: Consumer, reached: Mapping[TopicPartition, int]) -> None:
        async with self._turn, asyncio.timeout(_COMMITTED_WITHIN_S):
            asked_at = _now()
            # what is finished is never behind what was reached
            offsets = {**reached, **self._tracker.uncommitted()}
            if not offsets:  # another commit, waited for, has said it all; aiokafka refuses an empty one
                return
            await consumer.commit(offsets)
            self._tracker.commit(offsets)
            self._lease.renew(asked_at)


def _now() -> float:
    return asyncio.get_running_loop().time()
