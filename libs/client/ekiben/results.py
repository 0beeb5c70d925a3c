"""Terminal events as they come, each request's once."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Self

from structlog.stdlib import get_logger

from ekiben.deduplication import SeenIds
from ekiben.reading import Log
from ekiben_bus.records import Record
from ekiben_contracts.cloudevents import CloudEvent, decode
from ekiben_contracts.errors import ContractError
from ekiben_contracts.prediction import PredictionCompleted, PredictionFailed
from ekiben_contracts.topics import PREDICTION_RESULTS

log = get_logger(__name__)

Result = PredictionCompleted | PredictionFailed
"""The terminal event of a request."""


class Results:
    """An async iterator of results without duplicates.

    Entering it, or its first step, fixes where it starts: what is published after that is seen.
    `duplicates` counts what was dropped because its ce_id had been seen, `unreadable` what is on the
    topic and is no result.
    """

    def __init__(self, open_log: Callable[[], Awaitable[Log]], seen: SeenIds | None = None) -> None:
        self._open_log = open_log
        self._seen = seen or SeenIds()
        self._log: Log | None = None
        self._waiting: deque[Record] = deque()
        self.duplicates = 0
        self.unreadable = 0

    async def __aenter__(self) -> Self:
        await self._opened()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Result:
        """The next result; waits for one as long as it takes."""
        while True:
            while self._waiting:
                record = self._waiting.popleft()
                result = self._take(record)
                if result is not None:
                    return result
            self._waiting.extend(await (await self._opened()).read())

    async def to_end(self) -> AsyncIterator[Result]:
        """Every result up to where the topic ends now."""
        topic = await self._opened()
        async for record in topic.read_to_end():
            result = self._take(record)
            if result is not None:
                yield result

    async def close(self) -> None:
        """Stop reading."""
        topic, self._log = self._log, None
        if topic is not None:
            await topic.close()

    async def _opened(self) -> Log:
        if self._log is None:
            self._log = await self._open_log()
        return self._log

    def _take(self, record: Record) -> Result | None:
        event = self._read(record)
        if event is None or not isinstance(event.data, PredictionCompleted | PredictionFailed):
            self.unreadable += 1
            return None
        known_by = event.id or f"{record.topic}-{record.partition}-{record.offset}"
        if not self._seen.is_new(known_by, partition=record.partition, at_ms=record.timestamp):
            self.duplicates += 1
            return None
        return event.data

    def _read(self, record: Record) -> CloudEvent | None:
        try:
            return decode(record.value, record.headers, PREDICTION_RESULTS)
        except ContractError as error:
            place = f"{record.topic}-{record.partition}-{record.offset}"
            log.warning("a record on the results topic is no result", place=place, error=str(error))
            return None
