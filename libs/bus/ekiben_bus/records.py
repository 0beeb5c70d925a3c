"""What the loop reads: a record as the broker has it, and the event decoded from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from ekiben_contracts.event import Event


class Record(Protocol):
    """A record of Kafka, by the names of aiokafka's ConsumerRecord. `timestamp` is in milliseconds."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Received(NamedTuple):
    """An input of a handler: the event, its envelope, and the record it came in.

    `attempt` is 1 unless the record came through one of the bus's own topics.
    """

    event: Event
    record: Record
    dead_letter_id: str
    ce_id: str | None = None
    traceparent: str | None = None
    attempt: int = 1

    @property
    def recorded_at(self) -> datetime:
        """When the broker, or its producer, stamped the record."""
        return datetime.fromtimestamp(self.record.timestamp / 1000, UTC)
