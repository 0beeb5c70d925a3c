"""What waits aside: for an endpoint that is away, or for its next try."""

from __future__ import annotations

from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ekiben.groups.readers import Reader
from ekiben_bus.lanes import PREFIX
from ekiben_bus.records import Record


@dataclass(slots=True)
class Waiting:
    """Records of one topic that wait on one lane, for one endpoint; `reason` is that of the latest."""

    topic: str
    group: str
    lane: str
    endpoint: str
    count: int
    since_ms: int
    reason: str

    @property
    def since(self) -> datetime:
        """When the first of them was put aside."""
        return datetime.fromtimestamp(self.since_ms / 1000, UTC)

    def as_document(self) -> dict[str, object]:
        """For JSON."""
        return {
            "topic": self.topic,
            "group": self.group,
            "lane": self.lane,
            "endpoint": self.endpoint,
            "count": self.count,
            "since": self.since.isoformat(),
            "reason": self.reason,
        }


async def count_waiting(reader: Reader, records: AsyncIterable[Record]) -> Sequence[Waiting]:
    """Count by endpoint; who waits longest comes first."""
    found: dict[str, Waiting] = {}
    async for record in records:
        endpoint, reason = _mark(record, "endpoint"), _mark(record, "reason")
        known = found.setdefault(
            endpoint,
            Waiting(reader.source, reader.service, reader.lane.name, endpoint, 0, record.timestamp, reason),
        )
        known.count += 1
        known.since_ms = min(known.since_ms, record.timestamp)
        known.reason = reason
    return sorted(found.values(), key=lambda each: each.since_ms)


def _mark(record: Record, name: str) -> str:
    return (dict(record.headers).get(PREFIX + name) or b"").decode(errors="backslashreplace")
