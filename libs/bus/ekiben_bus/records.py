"""What the loop reads: a record as the broker has it, and the event decoded from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

from msgspec import Struct

from ekiben_contracts.envelope import Headers
from ekiben_contracts.event import Event
from ekiben_contracts.identity import dead_letter_id

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)


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
    def headers(self) -> Headers: ...


class Received(Struct, frozen=True, gc=False):
    """An input of a handler: the event, its envelope, and the record it came in, read by `group`.

    `attempt` is 1 unless the record came through one of the bus's own topics.
    """

    event: Event
    record: Record
    group: str
    ce_id: str | None = None
    traceparent: str | None = None
    attempt: int = 1

    def __repr__(self) -> str:
        """Without the bytes of its record: what is sensitive stands in them."""
        return f"Received({self.event!r}, {self.dead_letter_id!r})"

    @property
    def dead_letter_id(self) -> str:
        """The id that its dead letter will have, should it become one."""
        record = self.record
        return dead_letter_id(record.topic, self.group, record.partition, record.offset, self.attempt)

    @property
    def recorded_at(self) -> datetime:
        """When the broker, or its producer, stamped the record: 64 bits of whatever the producer likes."""
        return _EPOCH + timedelta(milliseconds=min(max(self.record.timestamp, 0), _LATEST_MS))
