"""A service: what it consumes, the tables it keeps, what it runs beside, and its life from start to drain."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version as version_of
from itertools import chain
from typing import Any

import uvloop
from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry
from structlog.stdlib import get_logger

from ekiben_bus.batches import BatchLoop
from ekiben_bus.cluster import Cluster, KafkaCluster
from ekiben_bus.deciding import Decider, dead_letter_alone
from ekiben_bus.errors import RefusedError
from ekiben_bus.granted import Granted, StoppedError
from ekiben_bus.health import HealthServer
from ekiben_bus.lanes import Lane, consumer_group, lanes
from ekiben_bus.link import Link
from ekiben_bus.metrics import BusMetrics
from ekiben_bus.naming import Naming
from ekiben_bus.occasional import Occasion, OccasionalSubscription
from ekiben_bus.outbox import Author, Packer, write
from ekiben_bus.publishing import PartitionPublisher, PublishError
from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_bus.skipping import skip_older
from ekiben_bus.subscription import Subscription
from ekiben_bus.table import LiveTable
from ekiben_bus.topic_plan import Shortfall
from ekiben_bus.topics import TooFewPartitionsError
from ekiben_bus.verdicts import Handler, OnFailure, Outgoing
from ekiben_contracts.event import Event
from ekiben_contracts.topics import PARKED, TOPICS, Topic, side_purposes

log = get_logger(__name__)


def now() -> datetime:
    """The clock of a service, where nobody gives it another."""
    return datetime.now(UTC)


class Service:
    """Put together once, in a service's `app.py`; then `run()`.

    `name` is the consumer group, too. With a `Cluster` in place of `KafkaSettings` it runs on
    that, which is how the tests run it in memory.
    """

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        kafka: KafkaSettings | Cluster,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.name = name
        self.registry = CollectorRegistry()
        self.health_port = settings.health_port
        self._settings = settings
        self._clock = clock
        self._cluster = KafkaCluster(kafka) if isinstance(kafka, KafkaSettings) else kafka
        self._link = Link(kafka) if isinstance(kafka, KafkaSettings) else None
        self._author = Author(name, version_of("ekiben-bus"), Naming(settings.topic_prefix))
        self._publisher = PartitionPublisher(self._cluster)
        self._metrics = BusMetrics(self.registry)
        self._sources: list[Topic] = []
        self._subscriptions: list[Subscription | OccasionalSubscription] = []
        self._tables: list[tuple[Topic, LiveTable]] = []
        self._resources: list[Callable[[], AbstractAsyncContextManager[object]]] = []
        self._background: list[Callable[[], Awaitable[None]]] = []
        self._consuming: list[asyncio.Task[None]] = []
        self._started = False
        self._stop = asyncio.Event()
        self._granted = Granted(self._stop)

    def consume(
        self,
        topic: Topic,
        handler: Handler,
        on_failure: OnFailure = dead_letter_alone,
        *,
        parked: Handler | None = None,
        occasion: Occasion | None = None,
    ) -> None:
        """Answer every record of a topic, by whichever lane it comes.

        `parked` answers those that wait for their endpoint: there is time, and nobody behind them
        is delayed. Without it the same handler does. With an `occasion` the topic is read only while
        that is there, and what is older than it has use for is given up.
        """
        self._sources.append(topic)
        for lane in lanes(topic, self.name, self._author.naming, self._settings.retry_delays_s):
            chosen = parked if parked is not None and lane.name == PARKED else handler
            decider = Decider(topic, self.name, chosen, on_failure, can_retry=lane.retry_to is not None)
            subscribe = partial(self._subscribe, lane, decider, topic)
            if occasion is None:
                self._subscriptions.append(subscribe())
            else:
                begin = partial(self._give_up_older, lane, occasion.longest_lag_s)
                self._subscriptions.append(OccasionalSubscription(lane.topic, occasion, subscribe, begin))

    def _subscribe(self, lane: Lane, decider: Decider, topic: Topic) -> Subscription:
        packer = Packer(topic, lane, self._author, decider)
        return Subscription(
            lane.topic,
            consumer_group(lane, self.name, self._author.naming),
            BatchLoop(lane, decider, packer, self._publisher, self._clock),
            self._cluster,
            self._settings,
            self._metrics,
            waits_aside=not lane.is_main,
        )

    async def _give_up_older(self, lane: Lane, longest_lag_s: float) -> None:
        """Of its topic alone: what waits on the bus's own topics was put there for it."""
        if not lane.is_main:
            return
        places = [TopicPartition(lane.topic, n) for n in range(await self._publisher.partitions(lane.topic))]
        oldest_ms = int((self._clock().timestamp() - longest_lag_s) * 1000)
        group = consumer_group(lane, self.name, self._author.naming)
        skipped = await skip_older(self._cluster, group, places, oldest_ms)
        self._metrics.skipped.labels(lane.topic).inc(sum(skipped.values()))

    def owns(self, topic: Topic) -> bool:
        """Whether a partition of a consumed topic is ours now: of one partition, a single process's."""
        name = self._author.naming.topic(topic)
        return any(s.is_assigned for s in self._subscriptions if s.topic == name)

    def table(self, topic: Topic, row_key: Callable[[Event], str] | None = None) -> LiveTable:
        """The latest event of each key of a compacted topic, fully read before any handler runs.

        With a `row_key`, the same of a plain log, by rows of the caller's choice.
        """
        table = LiveTable(topic, self._author.naming.topic(topic), self._cluster, row_key)
        self._tables.append((topic, table))
        return table

    def resource(self, opener: Callable[[], AbstractAsyncContextManager[object]]) -> None:
        """Open something before the first record is read; close it after the last is answered."""
        self._resources.append(opener)

    def background(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run something beside the consumption. If it raises, the service drains and raises it."""
        self._background.append(work)

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """Publish events that no input caused, and wait for every acknowledgement.

        Raises:
            PublishError: at least one was not acknowledged.
            OutputTooLargeError: one is larger than its topic allows.
        """
        now = self._clock()
        await self._publisher.publish([write(event, self._author, now) for event in outgoing])

    def run(self) -> None:
        """Run until SIGTERM or SIGINT, then drain. The main of a service.

        Raises:
            SystemExit: Kafka does not let it in, and the log says why.
        """
        # a batch is thousands of objects for one round: by default each would be scanned again and again
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        try:
            uvloop.run(self._run_until_signalled())
        except PublishError as error:
            if not isinstance(error.__cause__, RefusedError):
                raise
            log.error("Kafka does not let this service in", why=str(error.__cause__))  # noqa: TRY400
            raise SystemExit(1) from None

    def stop(self) -> None:
        """Ask the running service to drain."""
        self._stop.set()

    async def _run_until_signalled(self) -> None:
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, self.stop)
        await self.serve()

    async def serve(self) -> None:
        """Run until `stop()`; raises what a background work raised."""
        async with AsyncExitStack() as stack:
            try:
                await self._start(stack)
            except StoppedError:
                log.info("stopped before it was allowed to begin")
                return
            stopped = asyncio.create_task(self._stop.wait())
            work = [asyncio.ensure_future(background()) for background in self._background]
            stack.push_async_callback(_cancel, [stopped, *work])
            work += self._consuming
            log.info("ready", health=f"http://{self._settings.host}:{self.health_port}/readyz")
            done, _ = await asyncio.wait([stopped, *work], return_when=asyncio.FIRST_COMPLETED)
            log.info("draining")
            await asyncio.gather(*(subscription.stop() for subscription in self._subscriptions))
            for task in done:
                task.result()

    async def _start(self, stack: AsyncExitStack) -> None:
        if self.health_port is not None:
            health = HealthServer(self._settings.host, self.health_port, self._problems, self.registry)
            self.health_port = await health.start()
            stack.push_async_callback(health.stop)
        await self._granted.see_through(self._publisher.start)
        stack.push_async_callback(self._publisher.stop)
        if self._link is not None:
            await self._link.start()
            stack.push_async_callback(self._link.stop)
        await self._granted.see_through(self._check_partitions)
        for topic, table in self._tables:
            await self._granted.see_through(partial(self._start_table, topic, table))
            stack.push_async_callback(table.stop)
        for opener in self._resources:
            await stack.enter_async_context(opener())
        for subscription in self._subscriptions:
            stack.push_async_callback(subscription.stop)
        await self._begin_to_read()

    async def _start_table(self, topic: Topic, table: LiveTable) -> None:
        await table.start(await self._publisher.partitions(self._author.naming.topic(topic)))

    async def _begin_to_read(self) -> None:
        """Join every group. It takes as long as their other members take to let go: a stop need not wait."""
        joining = asyncio.create_task(self._join())
        stopped = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait([joining, stopped], return_when=asyncio.FIRST_COMPLETED)
            if joining.done():
                self._consuming = joining.result()
                self._started = True
        finally:
            await _cancel([joining, stopped])

    async def _join(self) -> list[asyncio.Task[None]]:
        return await asyncio.gather(*(subscription.start() for subscription in self._subscriptions))

    async def _check_partitions(self) -> None:
        naming = self._author.naming
        shortfalls: list[Shortfall] = []
        for source in self._sources:
            needed = await self._publisher.partitions(naming.topic(source))
            outputs = [naming.topic(t) for t in TOPICS if self.name in t.writers and t.key == source.key]
            sides = [naming.side(source, self.name, purpose) for purpose in side_purposes(source, self.name)]
            for name in (*outputs, *sides):
                found = await self._publisher.partitions(name)
                if found < needed:
                    because_of = f"as many as of {naming.topic(source)}"
                    shortfalls.append(Shortfall(name, needed, found, because_of))
        if shortfalls:
            raise TooFewPartitionsError(shortfalls)

    def is_ready(self) -> bool:
        """Whether it serves: what /readyz tells."""
        return not self._problems()

    def _problems(self) -> Sequence[str]:
        cut_off = [self._link.problem] if self._link is not None and self._link.problem else []
        if not self._started:
            refused = [self._granted.problem] if self._granted.problem else []
            return ["starting", *cut_off, *refused]
        cut_off += [self._publisher.problem] if self._publisher.problem else []
        tables = (table.problem for _, table in self._tables)
        subscriptions = (subscription.problem for subscription in self._subscriptions)
        return [problem for problem in chain(cut_off, tables, subscriptions) if problem is not None]


async def _cancel(tasks: Sequence[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)
