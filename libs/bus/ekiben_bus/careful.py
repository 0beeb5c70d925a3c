"""A consumer of aiokafka that skips nothing silently, and says what it cannot read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)
from structlog.stdlib import get_logger

from ekiben_bus.forbidden import ForbiddenError, forbidden, refusal_in, refusals_named
from ekiben_bus.header_names import tolerate_header_names
from ekiben_bus.principals import ANONYMOUS
from ekiben_bus.standing import Standing

log = get_logger(__name__)

Telling = Callable[[], AbstractAsyncContextManager[None]]
"""In it, whoever cannot connect raises why."""

_PATIENCE_MS = 500
_AGAIN_IN_S = 1.0
_BEGINS_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Gap:
    """A partition whose log does not hold the offset that a group has to read next."""

    place: TopicPartition
    offset: int
    start: int
    end: int

    def __str__(self) -> str:
        held = f"expected offset {self.offset} of {self.place.topic}, partition {self.place.partition}"
        if self.offset < self.start:
            deleted = self.start - self.offset
            return f"{held}, found the log to start at {self.start}: {deleted} records were deleted unread"
        return f"{held}, found the log to end at {self.end}: records were lost by the brokers"


class CarefulConsumer(AIOKafkaConsumer):
    """Reads a new group from the start, and nothing but what is there for a group that has committed.

    aiokafka's `earliest` would also silently skip records that retention deleted unread, so the reset is
    `none`, and only a missing offset is mended here. A reader without a group has promised nobody
    anything: it goes on where the log starts now. Its start is within `telling`.
    """

    def __init__(self, telling: Telling = nullcontext, *, principal: str = ANONYMOUS, **options: Any) -> None:
        kept: dict[str, Any] = {**options, "auto_offset_reset": "none", "enable_auto_commit": False}
        tolerate_header_names()
        super().__init__(**kept)
        self._telling = telling
        self._principal = principal
        self._in_group = kept.get("group_id") is not None
        self.gap: Gap | None = None
        self.trouble: str | None = None
        self.refusal: ForbiddenError | None = None

    async def start(self) -> None:
        async with self._telling():
            with refusals_named(self._principal, "Read"):
                await super().start()

    async def stop(self) -> None:
        """See AIOKafkaConsumer.stop, which ends at a fetch of its own that it has cancelled (0.14)."""
        try:
            await super().stop()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            await _close_what_is_left(self)

    async def commit(self, offsets: Any = None) -> None:
        with refusals_named(self._principal, "Read"):
            await super().commit(offsets)

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        if self.gap is not None:
            await asyncio.sleep(_AGAIN_IN_S)
            return {}
        # FastStream sleeps after each empty poll: a longer poll is woken by the record itself
        patience = max(timeout_ms, _PATIENCE_MS) if timeout_ms else 0
        standing = Standing(self)
        try:
            found = await super().getmany(*partitions, timeout_ms=patience, max_records=max_records)
        except (NoOffsetForPartitionError, OffsetOutOfRangeError) as error:  # nothing was taken
            await self._mend(error)
            return {}
        except Exception as error:
            standing.go_back()
            if not isinstance(error, KafkaError):
                raise
            await self._mend(error)
            return {}
        if not found and (hidden := _hidden(self)):
            await self._mend(TopicAuthorizationFailedError(hidden))
            return {}
        self.trouble = self.refusal = None
        return found

    async def seek_to_beginning(self, *partitions: TopicPartition) -> bool:
        """See AIOKafkaConsumer.seek_to_beginning, which waits for ever for what it may not ask.

        Raises:
            ForbiddenError: we may not know where they begin.
            KafkaTimeoutError: nobody said it in time.
        """
        try:
            async with asyncio.timeout(_BEGINS_WITHIN_S):
                return await super().seek_to_beginning(*partitions)
        except TimeoutError:
            await _looked(self)
            hidden = _hidden(self)
            error = TopicAuthorizationFailedError(hidden) if hidden else KafkaTimeoutError()
            raise forbidden(error, self._principal, "Describe") from None

    async def _mend(self, error: KafkaError) -> None:
        try:
            if isinstance(error, NoOffsetForPartitionError):
                await self._begin(error.args[0])
                return
            if isinstance(error, OffsetOutOfRangeError):
                await self._look_for_gap(error.args[0])
                return
        except KafkaError as another:
            error = another
        topics = ", ".join(sorted({place.topic for place in self.assignment()}))
        named = forbidden(error, self._principal, "Read", topics)
        log.warning("cannot read from Kafka", error=repr(named), retry_in_s=_AGAIN_IN_S)
        self.trouble, self.refusal = repr(named), refusal_in(named)
        await asyncio.sleep(_AGAIN_IN_S)

    async def _begin(self, place: TopicPartition) -> None:
        """Read from the start, unless the error is of an assignment that has passed.

        aiokafka may still raise it just after the next assignment, before its fetcher has seen that one:
        the partition may be another's by now, or ours again with what others have committed meanwhile.
        """
        committed = await self.committed(place) if self._in_group else None
        if committed is None and place in self.assignment():
            await self.seek_to_beginning(place)

    async def _look_for_gap(self, asked: dict[TopicPartition, int]) -> None:
        ((place, offset),) = asked.items()
        start = (await self.beginning_offsets([place]))[place]
        end = (await self.end_offsets([place]))[place]
        if start <= offset <= end:
            await asyncio.sleep(_AGAIN_IN_S)  # a broker that is behind: ask again
        elif self._in_group:
            self.gap = Gap(place, offset, start, end)
        else:
            log.warning("reading on where the log starts", gap=str(Gap(place, offset, start, end)))
            await self.seek_to_beginning(place)


async def _close_what_is_left(consumer: Any) -> None:
    pending = list(consumer._fetcher._pending_tasks)  # noqa: SLF001 - as its close would
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    await consumer._client.close()  # noqa: SLF001 - the last thing that a stop does


async def _looked(consumer: Any) -> None:
    """The metadata of its topics are of now."""
    await consumer._client.force_metadata_update()  # noqa: SLF001 - aiokafka asks only once it needs them


def _hidden(consumer: Any) -> set[str]:
    """Those of its topics that it may not even describe. aiokafka waits for them in silence, and asks for
    them again after five minutes: here they are asked for at once."""
    client = consumer._client  # noqa: SLF001 - aiokafka tells nobody
    # a group whose leader sees no topic assigns none of its partitions
    own = consumer.subscription() | {place.topic for place in consumer.assignment()}
    hidden = client.cluster.unauthorized_topics & own
    if hidden:
        client.force_metadata_update()
    return hidden
