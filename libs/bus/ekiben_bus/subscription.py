"""One topic consumed by one service: FastStream reads, the loop answers, the tracker commits.

FastStream's AckPolicy.MANUAL leaves every offset to us, and the function given to it never raises:
its own policies commit what is still in flight, or what failed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from time import monotonic, time
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from structlog.stdlib import get_logger

from ekiben_bus.batches import BatchLoop
from ekiben_bus.cluster import Cluster, Consumer
from ekiben_bus.metrics import BusMetrics
from ekiben_bus.offsets import OffsetTracker
from ekiben_bus.records import Record
from ekiben_bus.settings import ServiceSettings

log = get_logger(__name__)

SESSION_TIMEOUT_MS = 6_000
_FAILURES_UNTIL_NOT_READY = 3
_MARGIN_S = 10.0
_TURN_S = 0.01
_LONGEST_PAUSE_S = 1.0


class Subscription:
    """Reads one topic for one consumer group, batch after batch, and commits exactly what is finished.

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
        self._group = group
        self._waits_aside = waits_aside
        self._loop = loop
        self._cluster = cluster
        self._settings = settings
        self._metrics = metrics
        self._tracker = OffsetTracker()
        self._broker = KafkaBroker(apply_types=False, logger=None, consumer_only=True, graceful_timeout=1.0)
        self._consumer: Consumer | None = None
        self._in_flight: asyncio.Task[None] | None = None
        self._committing: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._rebalancing = True
        self._failures = 0
        self._trouble = ""
        self._due_in_s = 0.0
        self._holding = False

    @property
    def is_assigned(self) -> bool:
        """Whether some partition is ours now."""
        return not self._rebalancing and self._consumer is not None and bool(self._consumer.assignment())

    @property
    def problem(self) -> str | None:
        """Why this subscription is not ready: no assignment yet, or no progress. None when it is."""
        if self._rebalancing:
            return f"{self.topic}: waiting for an assignment of group {self._group}"
        if self._failures >= _FAILURES_UNTIL_NOT_READY and not (self._waits_aside and self._holding):
            return f"{self.topic}: no progress in the last {self._failures} batches: {self._trouble}"
        return None

    async def start(self) -> None:
        """Join the group and begin to read."""
        settings = self._settings
        subscriber = self._broker.subscriber(
            self.topic,
            group_id=self._group,
            batch=True,
            max_records=settings.batch_records,
            batch_timeout_ms=10,
            fetch_max_bytes=settings.batch_bytes,
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 3,
            rebalance_timeout_ms=int((settings.batch_timeout_s + 2 * _MARGIN_S) * 1000),
            max_poll_interval_ms=int(
                (settings.batch_timeout_s + settings.longest_backoff_s + 2 * _MARGIN_S) * 1000
            ),
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            listener=_Listener(self),
        )
        subscriber(self._on_batch, parser=_parse, decoder=_raw_records)
        await self._broker.connect()
        # where FastStream's own TestBroker enters: everything above the client stays in the game
        setattr(self._broker.config.broker_config, "builder", self._build_consumer)  # noqa: B010
        await self._broker.start()
        self._committing = asyncio.create_task(self._keep_committing())

    async def stop(self) -> None:
        """Drain: finish the batch in flight within the drain timeout, commit, leave the group."""
        self._stopping.set()
        await self._settle(self._settings.drain_timeout_s)
        if self._committing is not None:
            self._committing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._committing
        await self._commit()
        await self._broker.stop()

    def _build_consumer(self, **options: Any) -> Consumer:
        self._consumer = self._cluster.consumer(**options)
        return self._consumer

    async def _on_batch(self, batch: Any) -> None:  # FastStream would build a validator from a narrower type
        records: Sequence[Record] = batch
        if self._stopping.is_set() or self._rebalancing:
            self._rewind(_first_offsets(records))  # unread for whoever owns the partitions next
            await asyncio.sleep(_TURN_S)
            return
        self._in_flight = asyncio.create_task(self._answer(records))
        try:
            await asyncio.wait([self._in_flight])
        except asyncio.CancelledError:
            self._in_flight.cancel()
            raise
        finally:
            self._in_flight = None
        if self._failures:
            await self._pause(
                min(self._settings.backoff_s * 2 ** (self._failures - 1), self._settings.longest_backoff_s)
            )
        elif self._due_in_s:
            await self._pause(min(self._due_in_s, _LONGEST_PAUSE_S))

    async def _answer(self, records: Sequence[Record]) -> None:
        started = monotonic()
        oldest = min(record.timestamp for record in records) / 1000
        self._metrics.oldest_unanswered.labels(self.topic).set_function(lambda: max(0.0, time() - oldest))
        try:
            async with asyncio.timeout(self._settings.batch_timeout_s):
                outbox = await self._loop.run(records)
        except Exception as error:  # noqa: BLE001 - fail closed, whatever it was: nothing is finished
            self._metrics.failed.labels(self.topic).inc()
            self._holding = False
            self._fail(repr(error), _first_offsets(records), len(records))
            return
        finally:
            self._metrics.oldest_unanswered.labels(self.topic).set_function(_nothing)
        self._tracker.finish(outbox.finished)
        self._metrics.batch_seconds.labels(self.topic).observe(monotonic() - started)
        self._metrics.batch_records.labels(self.topic).observe(len(records))
        self._metrics.dead_letters.labels(self.topic).inc(outbox.dead_letters)
        self._metrics.records.labels(self.topic).inc(outbox.answered)
        self._metrics.moved.labels(self.topic).inc(outbox.moved)
        self._due_in_s = outbox.due_in_s
        self._rewind({place: offset for place, offset in outbox.early.items() if place not in outbox.held})
        self._holding = bool(outbox.held)
        if outbox.held:
            self._metrics.held.labels(self.topic).inc()
            again = {place: outbox.finished[place] for place in outbox.held}
            self._fail(next(iter(outbox.held.values())), again, len(records))
        else:
            self._failures = 0

    def _fail(self, trouble: str, again_from: dict[TopicPartition, int], records: int) -> None:
        self._failures += 1
        self._trouble = trouble
        log.warning(
            "batch not finished, it will be read again",
            topic=self.topic,
            records=records,
            why=trouble,
            failures_in_a_row=self._failures,
        )
        self._rewind(again_from)

    def _rewind(self, to: dict[TopicPartition, int]) -> None:
        assert self._consumer is not None
        for place in self._consumer.assignment() & to.keys():
            self._consumer.seek(place, to[place])

    async def _pause(self, seconds: float) -> None:
        """Read nothing for a while. Short, so that the group does not take us for dead."""
        with contextlib.suppress(TimeoutError):
            # not asyncio.wait_for: before Python 3.12 it swallows a cancellation that meets the event
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

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

    async def _keep_committing(self) -> None:
        while True:
            await asyncio.sleep(self._settings.commit_interval_s)
            await self._commit()

    async def _commit(self) -> None:
        offsets = self._tracker.uncommitted()
        if not offsets or self._consumer is None:
            return
        try:
            await self._consumer.commit(offsets)
        except KafkaError as error:
            log.warning("offsets not committed, will try again", topic=self.topic, error=repr(error))
            return
        self._tracker.commit(offsets)

    async def on_revoked(self, revoked: set[TopicPartition]) -> None:
        """Finish and commit before somebody else reads on; from here no batch starts."""
        self._rebalancing = True
        await self._settle(self._settings.batch_timeout_s + _MARGIN_S)
        await self._commit()
        self._tracker.forget(revoked)

    async def on_assigned(self, assigned: set[TopicPartition]) -> None:
        """Go on with what is ours now."""
        self._rebalancing = False
        log.info("assigned", topic=self.topic, partitions=sorted(place.partition for place in assigned))


class _Listener(ConsumerRebalanceListener):
    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self._subscription.on_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        await self._subscription.on_assigned(assigned)


async def _parse(records: Sequence[Record]) -> KafkaMessage:
    """Leave every header alone: FastStream's own parser drops a batch over one that is not UTF-8."""
    return KafkaMessage(body=b"", raw_message=records, consumer=FAKE_CONSUMER)  # pyright: ignore[reportArgumentType]


async def _raw_records(message: KafkaMessage) -> Any:
    return message.raw_message


def _first_offsets(records: Sequence[Record]) -> dict[TopicPartition, int]:
    first: dict[TopicPartition, int] = {}
    for record in records:
        first.setdefault(TopicPartition(record.topic, record.partition), record.offset)
    return first


def _nothing() -> float:
    return 0.0
