"""A consumer in its group: joins, reads through FastStream, commits, leaves; and joins anew where it has to.

FastStream's AckPolicy.MANUAL leaves every offset to us, and the function given to it never raises:
its own policies commit what is still in flight, or what failed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from structlog.stdlib import get_logger

from ekiben_bus.careful import Gap
from ekiben_bus.cluster import Cluster, Consumer
from ekiben_bus.commits import Commits
from ekiben_bus.forbidden import ForbiddenError
from ekiben_bus.polling import Polled, PolledConsumer
from ekiben_bus.records import Record
from ekiben_bus.settings import ServiceSettings
from ekiben_contracts.topics import LARGEST_RECORD

log = get_logger(__name__)

SESSION_TIMEOUT_S = 6.0
_LEASE_S = SESSION_TIMEOUT_S / 2
_MARGIN_S = 10.0
_LEFT_WITHIN_S = 10.0
_UNREADABLE_UNTIL_REJOIN_S = 30.0
_REFUSED_UNTIL_REJOIN_S = 3.0
"""aiokafka does not always go on by itself once a right is granted again; a new member does."""
_LOOK_AGAIN_S = 2.0
_POLL_MS = 10
_NOT_POLLED_S = 0.1


@dataclass(frozen=True, slots=True)
class Reader:
    """What a membership is for: `read` takes each batch; `release` ends the one in flight, within so long."""

    read: Callable[[Polled], Awaitable[None]]
    release: Callable[[float], Awaitable[None]]


class Membership:
    """One consumer group's share of one topic."""

    def __init__(
        self, topic: str, group: str, cluster: Cluster, settings: ServiceSettings, reader: Reader
    ) -> None:
        self._topic = topic
        self._group = group
        self._cluster = cluster
        self._settings = settings
        self._reader = reader
        self._commits = Commits(topic, _LEASE_S)
        self._broker: KafkaBroker | None = None
        self._consumer: Consumer | None = None
        self._polling: PolledConsumer | None = None
        self._generation = 0
        self._living: asyncio.Task[None] | None = None
        self._gap: Gap | None = None
        self._assigned = False
        self._unjoined: str | None = None

    @property
    def is_assigned(self) -> bool:
        """Whether what is read now is ours: not before an assignment, nor while the group rebalances."""
        return self._assigned

    @property
    def generation(self) -> int:
        """How many assignments are over. What was read under one of them is not ours any more."""
        return self._generation

    def is_in(self, generation: int) -> bool:
        """Whether what was read under this assignment is ours still."""
        return self._assigned and self._generation == generation

    @property
    def owns(self) -> bool:
        """Whether some partition is ours now."""
        return self._assigned and self._consumer is not None and bool(self._consumer.assignment())

    @property
    def problem(self) -> str | None:
        """Why nothing can be read now. None when it can."""
        if self._gap is not None:
            return (
                f"group {self._group} has stopped: {self._gap}. Nothing is skipped unless somebody says so: "
                f"`ekiben offsets skip --group {self._group} --topic {self._topic} --to-earliest`"
            )
        trouble = self._unjoined or (self._consumer.trouble if self._consumer is not None else None)
        if trouble is not None:
            return f"{self._topic}: cannot be read: {trouble}"
        if not self._assigned:
            return f"{self._topic}: waiting for an assignment of group {self._group}"
        return None

    # ---- joining and leaving

    async def start(self) -> asyncio.Task[None]:
        """Join the group and begin to read. The task ends only if this consumer cannot go on.

        One that may not join yet tries again and again.
        """
        try:
            await self._join()
        except ForbiddenError as error:
            await self._could_not_join(error)
        self._living = asyncio.create_task(self._live())
        return self._living

    async def stop(self) -> None:
        """Commit what is finished and leave the group, whether or not the cluster answers."""
        if self._living is not None:
            self._living.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._living
        await self._leave()

    async def _join(self) -> None:
        settings = self._settings
        self._broker = KafkaBroker(apply_types=False, logger=None, consumer_only=True, graceful_timeout=1.0)
        subscriber = self._broker.subscriber(
            self._topic,
            group_id=self._group,
            batch=True,
            max_records=settings.batch_records,
            batch_timeout_ms=_POLL_MS,
            fetch_max_bytes=settings.batch_bytes,
            max_partition_fetch_bytes=LARGEST_RECORD,
            session_timeout_ms=int(SESSION_TIMEOUT_S * 1000),
            heartbeat_interval_ms=int(SESSION_TIMEOUT_S / 3 * 1000),
            # a batch is given up before the group would give us up
            rebalance_timeout_ms=int((settings.batch_timeout_s + 2 * _MARGIN_S) * 1000),
            max_poll_interval_ms=int(
                (settings.batch_timeout_s + settings.longest_backoff_s + 2 * _MARGIN_S) * 1000
            ),
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            listener=_Listener(self),
        )
        subscriber(self._take, parser=_parse, decoder=_raw_records)
        await self._broker.connect()
        # where FastStream's own TestBroker enters: everything above the client stays in the game
        setattr(self._broker.config.broker_config, "builder", self._build_consumer)  # noqa: B010
        await self._broker.start()

    async def _leave(self) -> None:
        self._end_assignment()
        broker, self._broker = self._broker, None
        if broker is None:
            return
        if self._consumer is not None:
            await self._commits.flush(self._consumer)
        self._commits.forget_all()
        try:
            async with asyncio.timeout(_LEFT_WITHIN_S):
                await broker.stop()
        except TimeoutError:
            log.warning("the group was not left in order", topic=self._topic, waited_s=_LEFT_WITHIN_S)

    def _build_consumer(self, **options: Any) -> PolledConsumer:
        self._consumer = self._cluster.consumer(**options)
        self._polling = PolledConsumer(self._consumer, self)
        return self._polling

    async def _take(self, batch: Any) -> None:  # FastStream would build a validator from a narrower type
        assert self._polling is not None
        await self._reader.read(Polled(batch, self._polling.generation))

    async def poll(self, most: int) -> Polled:
        """What comes while a batch is on its way, and FastStream waits for it. Never raises.

        What cannot be read is met again by FastStream's own poll, which tells it.
        """
        assert self._polling is not None
        try:
            found = await self._polling.getmany(timeout_ms=_POLL_MS, max_records=most)
        except Exception as error:  # noqa: BLE001 - whatever it is, what was read before must not be dropped
            log.debug("not polled", topic=self._topic, error=repr(error))
            await asyncio.sleep(_NOT_POLLED_S)
            return Polled((), self._generation)
        return Polled([*chain.from_iterable(found.values())], self._polling.generation)

    # ---- while a member

    async def _live(self) -> None:
        """Commit from time to time; leave the group and join it anew where nothing can be read."""
        if self._unjoined is not None:
            await self._join_again()
        while True:
            await self._commit_while_readable()
            self._assigned = False
            await self._reader.release(self._settings.batch_timeout_s)
            await self._leave()
            await self._join_again()

    async def _commit_while_readable(self) -> None:
        assert self._consumer is not None
        consumer, unreadable_s, every_s = self._consumer, 0.0, self._settings.commit_interval_s
        while unreadable_s < (
            _UNREADABLE_UNTIL_REJOIN_S if consumer.refusal is None else _REFUSED_UNTIL_REJOIN_S
        ):
            await asyncio.sleep(every_s)
            await self._commits.flush(consumer)
            unreadable_s = unreadable_s + every_s if consumer.trouble else 0.0
            if consumer.gap is not None:
                self._gap = consumer.gap
                log.error("stopped: nothing is skipped silently", group=self._group, gap=str(consumer.gap))
                return
        log.error("joining the group anew", topic=self._topic, why=consumer.trouble)

    async def _join_again(self) -> None:
        while True:
            try:
                if self._gap is None or await self._is_mended(self._gap):
                    self._gap = None
                    await self._join()
                    self._unjoined = None
                    return
            except KafkaError as error:
                await self._could_not_join(error)
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _could_not_join(self, error: KafkaError) -> None:
        log.warning("the group cannot be joined", topic=self._topic, error=repr(error))
        self._unjoined = repr(error)
        await self._leave()

    async def _is_mended(self, gap: Gap) -> bool:
        """Whether somebody has moved the group's offset to where the log has something."""
        consumer = self._cluster.consumer(group_id=self._group)
        consumer.assign([gap.place])
        try:
            await consumer.start()
            committed = await consumer.committed(gap.place)
            await consumer.seek_to_beginning(gap.place)
            start = await consumer.position(gap.place)
            end = (await consumer.end_offsets([gap.place]))[gap.place]
        finally:
            await consumer.stop()
        return committed is None or start <= committed <= end

    async def on_revoked(self, revoked: set[TopicPartition]) -> None:
        """Finish and commit before somebody else reads on; from here no batch starts."""
        self._assigned = False
        await self._reader.release(self._settings.batch_timeout_s + _MARGIN_S)
        if self._consumer is not None:
            await self._commits.flush(self._consumer)
        self._commits.forget(revoked)
        self._end_assignment()

    def _end_assignment(self) -> None:
        self._assigned = False
        self._generation += 1

    async def on_assigned(self, assigned: set[TopicPartition]) -> None:
        """Go on with what is ours now."""
        self._commits.assigned()
        self._assigned = True
        log.info("assigned", topic=self._topic, partitions=sorted(place.partition for place in assigned))

    # ---- offsets

    async def prove(self, reached: Mapping[TopicPartition, int]) -> None:
        """Before publishing: make sure that these partitions, read up to here, are ours still.

        Raises:
            LostPartitionsError: they are not.
        """
        assert self._consumer is not None
        await self._commits.prove(self._consumer, reached)

    def finish(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Everything before these offsets is answered and acknowledged."""
        self._commits.finish(offsets)

    def rewind(self, to: Mapping[TopicPartition, int], generation: int) -> None:
        """Read these partitions again from here. Once the assignment is over, its offsets mean nothing."""
        assert self._consumer is not None
        if generation != self._generation:
            return
        for place in self._consumer.assignment() & to.keys():
            self._consumer.seek(place, to[place])


class _Listener(ConsumerRebalanceListener):
    def __init__(self, membership: Membership) -> None:
        self._membership = membership

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self._membership.on_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        await self._membership.on_assigned(assigned)


async def _parse(records: Sequence[Record]) -> KafkaMessage:
    """Leave every header alone: FastStream's own parser drops a batch over one that is not UTF-8."""
    return KafkaMessage(body=b"", raw_message=records, consumer=FAKE_CONSUMER)  # pyright: ignore[reportArgumentType]


async def _raw_records(message: KafkaMessage) -> Any:
    return message.raw_message
