"""A dead letter as people look at it: what died, where, why, and its bytes unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from ekiben_bus.deadletters import PREFIX
from ekiben_bus.records import Record


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record of a T.G.dlq topic. `headers` are those of the original record."""

    id: str
    topic: str
    group: str
    partition: int
    offset: int
    recorded_at: datetime
    stage: str
    reason: str
    error_class: str
    error_message: str
    error_stack: str
    attempt: int
    failed_at: str
    service: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def parse(record: Record) -> DeadLetter:
    """Read the dlq- headers. One that is missing reads as empty: nothing a record lacks may hide it."""
    said = {
        name.removeprefix(PREFIX): value.decode(errors="backslashreplace")
        for name, value in record.headers
        if name.startswith(PREFIX)
    }
    return DeadLetter(
        id=said.get("id", f"{record.topic}/{record.partition}/{record.offset}"),
        topic=said.get("topic", ""),
        group=said.get("group", ""),
        partition=_number(said.get("partition"), record.partition),
        offset=_number(said.get("offset"), record.offset),
        recorded_at=datetime.fromtimestamp(_number(said.get("timestamp"), record.timestamp) / 1000, UTC),
        stage=said.get("stage", ""),
        reason=said.get("reason", ""),
        error_class=said.get("error-class", ""),
        error_message=said.get("error-message", ""),
        error_stack=said.get("error-stack", ""),
        attempt=_number(said.get("attempt"), 1),
        failed_at=said.get("failed-at", ""),
        service=said.get("service", ""),
        key=record.key,
        value=record.value,
        headers=tuple((name, value) for name, value in record.headers if not name.startswith(PREFIX)),
    )


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isdecimal() else otherwise
