"""A dead letter as people look at it: what died, where, why, and its bytes unchanged."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ekiben_bus.deadletters import PREFIX
from ekiben_bus.records import Record

_ATTEMPT = PREFIX + "attempt"
_LONGEST_NUMBER = 18
_LATEST_MS = 253_402_300_799_000
"""The end of the year 9999, where Python's calendar ends."""
_CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record of a T.G.dlq topic, which is `kept_on`. `headers` are those of the original record.

    `topic`, `partition`, `offset` and `timestamp` (in milliseconds) are the original record's.
    """

    id: str
    kept_on: str
    topic: str
    group: str
    partition: int
    offset: int
    timestamp: int
    stage: str
    reason: str
    error_class: str
    error_message: str = field(repr=False)
    error_stack: str = field(repr=False)
    attempt: int
    failed_at: str
    service: str
    key: bytes | None
    value: bytes | None = field(repr=False)
    headers: tuple[tuple[str, bytes | None], ...] = field(repr=False)

    @property
    def recorded_at(self) -> datetime:
        """When the original record was stamped."""
        return datetime.fromtimestamp(min(self.timestamp, _LATEST_MS) / 1000, UTC)

    @property
    def died_at(self) -> datetime | None:
        """When it failed; None where its header does not say."""
        try:
            told = datetime.fromisoformat(self.failed_at)
        except ValueError:
            return None
        return told if told.tzinfo is not None else told.replace(tzinfo=UTC)

    @property
    def origin(self) -> str:
        """What all attempts of one record share. A topic made anew uses offsets again: hence the time."""
        return f"{self.kept_on}/{self.topic}/{self.partition}/{self.offset}/{self.timestamp}"

    def is_meant_by(self, acted_at: datetime) -> bool:
        """Whether what was done then, under its id, was about it: a topic made anew uses ids again."""
        return self.died_at is None or self.died_at <= acted_at + _CLOCKS_DIFFER

    @property
    def returned(self) -> int:
        """How many times it came back from a replay."""
        return self.attempt - 1


def parse(record: Record) -> DeadLetter:
    """Read the dlq- headers. One that is missing reads as empty: nothing a record lacks may hide it."""
    said = {
        name.removeprefix(PREFIX): (value or b"").decode(errors="backslashreplace")
        for name, value in record.headers
        if name.startswith(PREFIX)
    }
    return DeadLetter(
        id=said.get("id") or f"{record.topic}/{record.partition}/{record.offset}",
        kept_on=record.topic,
        topic=said.get("topic", ""),
        group=said.get("group", ""),
        partition=_number(said.get("partition"), record.partition),
        offset=_number(said.get("offset"), record.offset),
        timestamp=_number(said.get("timestamp"), max(record.timestamp, 0)),
        stage=said.get("stage", ""),
        reason=said.get("reason", ""),
        error_class=said.get("error-class", ""),
        error_message=said.get("error-message", ""),
        error_stack=said.get("error-stack", ""),
        attempt=max(1, _number(said.get("attempt"), 1)),
        failed_at=said.get("failed-at", ""),
        service=said.get("service", ""),
        key=record.key,
        value=record.value,
        headers=tuple((name, value) for name, value in record.headers if not name.startswith(PREFIX)),
    )


def is_first(record: Record) -> bool:
    """Whether it never was replayed. Cheaper than reading all of it."""
    return all(value == b"1" for name, value in record.headers if name == _ATTEMPT)


def _number(text: str | None, otherwise: int) -> int:
    if text is None or len(text) > _LONGEST_NUMBER or not (text.isascii() and text.isdecimal()):
        return otherwise
    return int(text)
