"""A dead letter: the original record, byte for byte, with headers that say what happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ekiben_bus.publishing import WireRecord
from ekiben_bus.records import Record
from ekiben_bus.verdicts import DeadLetter

PREFIX = "dlq-"
HEADER_LIMIT = 32 * 1024
"""Bytes of all dlq- headers together; the stack is cut first, then the message."""


@dataclass(frozen=True, slots=True)
class Burial:
    """Who writes a dead letter, and about which read of the record."""

    group: str
    service: str
    topic: str
    dead_letter_id: str
    attempt: int = 1


def dead_letter_record(
    record: Record, verdict: DeadLetter, burial: Burial, failed_at: datetime
) -> WireRecord:
    """The record for the dead-letter topic. A second death replaces the headers of the first."""
    original = [(name, value) for name, value in record.headers if not name.startswith(PREFIX)]
    return WireRecord(
        burial.topic,
        record.partition,
        record.key,
        record.value,
        [*original, *_headers(record, verdict, burial, failed_at)],
    )


def _headers(
    record: Record, verdict: DeadLetter, burial: Burial, failed_at: datetime
) -> Sequence[tuple[str, bytes]]:
    fields = {
        "id": burial.dead_letter_id,
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "timestamp": str(record.timestamp),
        "group": burial.group,
        "stage": verdict.stage,
        "reason": verdict.reason,
        "error-class": verdict.error_class,
        "attempt": str(burial.attempt),
        "failed-at": failed_at.astimezone(UTC).isoformat(),
        "service": burial.service,
    }
    headers = [(PREFIX + name, text.encode()) for name, text in fields.items()]
    left = HEADER_LIMIT - sum(len(name) + len(value) for name, value in headers)
    for name, text in (("error-message", verdict.message), ("error-stack", verdict.stack)):
        value = _cut(text, left - len(PREFIX + name))
        headers.append((PREFIX + name, value))
        left -= len(PREFIX + name) + len(value)
    return headers


def _cut(text: str, size: int) -> bytes:
    """The first bytes of a text, never half a character."""
    return text.encode()[: max(size, 0)].decode(errors="ignore").encode()
