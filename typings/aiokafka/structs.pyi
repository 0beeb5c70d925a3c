from typing import NamedTuple

from aiokafka import RecordMetadata as RecordMetadata

class OffsetAndTimestamp(NamedTuple):
    offset: int
    timestamp: int | None
