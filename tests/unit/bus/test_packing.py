"""What is too large for its topic goes compressed, and comes out as it was."""

from __future__ import annotations

from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch

from ekiben_bus.packing import pack
from ekiben_contracts.topics import RECORD_LIMIT

LARGE = b"ekiben" * RECORD_LIMIT
HEADERS = [("dlq-id", b"1"), ("", None), ("e\u0301", b"\xff")]


def test_a_packed_batch_is_small_and_holds_the_same():
    batch = BatchBuilder(512 * 1024, 0)
    batch.append(timestamp=7, key=b"\xff", value=LARGE, headers=HEADERS)

    packed = pack(batch)

    data = bytes(packed._build())
    assert len(data) < RECORD_LIMIT
    (record,) = DefaultRecordBatch(data)
    assert (record.timestamp, record.key, record.value, record.headers) == (7, b"\xff", LARGE, HEADERS)
