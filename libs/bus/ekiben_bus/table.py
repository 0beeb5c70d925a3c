"""A compacted topic as a live table: fully read before work starts, followed for as long as it lasts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from structlog.stdlib import get_logger

from ekiben_bus.cluster import Cluster, Consumer
from ekiben_bus.records import Record
from ekiben_contracts.cloudevents import decode
from ekiben_contracts.errors import ContractError
from ekiben_contracts.event import Event
from ekiben_contracts.topics import Topic

log = get_logger(__name__)

_FETCH_MS = 50
"""How long the broker may hold an empty fetch. It answers a connection in order, so that catching up,
which asks where the topic ends, takes as long as the fetch before it."""
_POLL_MS = 500


class LiveTable:
    """The latest event of each key. A record without a value takes its key away.

    With a `row_key` it is a view of a plain log: the latest event of each row that the function names.

    A record that cannot be read is logged and leaves the key as it was: a table that forgot a
    route over one bad record would answer unknown_model.
    """

    def __init__(
        self, topic: Topic, name: str, cluster: Cluster, row_key: Callable[[Event], str] | None = None
    ) -> None:
        self._row_key = row_key
        self._topic = topic
        self._name = name
        self._cluster = cluster
        self._rows: dict[str, Event] = {}
        self._positions: dict[int, int] = {}
        self._consumer: Consumer | None = None
        self._following: asyncio.Task[None] | None = None
        self._advanced = asyncio.Condition()
        self._listeners: list[Callable[[], None]] = []

    @property
    def rows(self) -> Mapping[str, Event]:
        """A live view by key."""
        return MappingProxyType(self._rows)

    def get(self, key: str) -> Event | None:
        """The latest event of a key."""
        return self._rows.get(key)

    def values(self) -> Iterable[Event]:
        """Every latest event."""
        return self._rows.values()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a function after each change."""
        self._listeners.append(listener)

    @property
    def problem(self) -> str | None:
        """Why the table is not followed any more; None when it is."""
        following = self._following
        if following is None or following.done():
            return f"{self._name}: not followed any more"
        if self._consumer is not None and self._consumer.trouble is not None:
            return f"{self._name}: cannot be read: {self._consumer.trouble}"
        return None

    async def start(self, partitions: int) -> None:
        """Read all there is, then follow in the background.

        Raises:
            ForbiddenError: it may not be read. Nothing is left behind.
            TimeoutError: the broker did not answer in time.
        """
        places = [TopicPartition(self._name, number) for number in range(partitions)]
        self._consumer = self._cluster.consumer(group_id=None, fetch_max_wait_ms=_FETCH_MS)
        self._consumer.assign(places)
        try:
            await self._consumer.start()
            await self._consumer.seek_to_beginning(*places)
            self._positions = {place.partition: await self._consumer.position(place) for place in places}
            self._following = asyncio.create_task(self._follow())
            await self.catch_up()
        except BaseException as error:
            refusal = self._consumer.refusal
            await self.stop()
            if isinstance(error, TimeoutError) and refusal is not None:
                raise refusal from error
            raise

    async def stop(self) -> None:
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        if self._consumer is not None:
            await self._consumer.stop()

    async def catch_up(self, timeout_s: float = 10.0) -> None:
        """Return once everything that is on the topic now has been read.

        Raises:
            TimeoutError: the broker did not answer, or not in time.
        """
        assert self._consumer is not None
        try:
            ends = await self._consumer.end_offsets([TopicPartition(self._name, p) for p in self._positions])
        except KafkaError as error:
            raise TimeoutError(f"{self._name}: the broker did not say where it ends: {error!r}") from error
        async with asyncio.timeout(timeout_s), self._advanced:
            await self._advanced.wait_for(
                lambda: all(self._positions[place.partition] >= end for place, end in ends.items())
            )

    async def _follow(self) -> None:
        assert self._consumer is not None
        while True:
            found = await self._consumer.getmany(timeout_ms=_POLL_MS)
            if not found:
                continue
            for records in found.values():
                for record in records:
                    self._apply(record)
            for place in found:
                self._positions[place.partition] = await self._consumer.position(place)
            for listener in self._listeners:
                listener()
            async with self._advanced:
                self._advanced.notify_all()

    def _apply(self, record: Record) -> None:
        key = (record.key or b"").decode(errors="replace")
        if record.value is None:
            self._rows.pop(key, None)
            return
        try:
            event = decode(record.value, record.headers, self._topic).data
        except ContractError as error:
            log.error("row not read, the one before stays", topic=self._name, key=key, error=str(error))  # noqa: TRY400
            return
        self._rows[key if self._row_key is None else self._row_key(event)] = event
