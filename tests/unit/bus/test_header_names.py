"""Header names that are not UTF-8 stop nobody."""

from __future__ import annotations

import gzip
import struct

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from hypothesis import given
from hypothesis import strategies as st

from ekiben_bus.header_names import TolerantRecords
from unit.bus.raw_batches import RawNames

GZIP = 1
HEADER_BYTES = 61


def batch_of(*records, base=0):
    """A batch of (key, value, [(name in bytes, value)])."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=0,
        batch_size=1 << 20,
    )
    names = RawNames(builder)
    for offset, (key, value, headers) in enumerate(records):
        named = [(names.stand_in(name), header) for name, header in headers]
        builder.append(offset, 1_700_000_000_000 + offset, key=key, value=value, headers=named)
    batch = bytearray(names.build())
    struct.pack_into(">q", batch, 0, base)
    return bytes(batch)


def compressed(batch):
    """The same, its records packed by gzip."""
    packed = bytearray(batch[:HEADER_BYTES] + gzip.compress(batch[HEADER_BYTES:]))
    struct.pack_into(">i", packed, 8, len(packed) - 12)
    struct.pack_into(">h", packed, 21, GZIP)
    struct.pack_into(">I", packed, 17, calc_crc32c(bytes(packed[21:])))
    return bytes(packed)


def read(data, records=TolerantRecords):
    """Every record, as (offset, timestamp, key, value, headers)."""
    found, parsed = [], records(data)
    while parsed.has_next():
        batch = parsed.next_batch()
        assert batch.validate_crc()
        found += [(r.offset, r.timestamp, r.key, r.value, list(r.headers)) for r in batch]
    assert parsed.next_batch() is None
    return found


GOOD = (b"k", b"v", [(b"traceparent", b"00-aa")])
BAD = (None, b"", [(b"\xff\xfe\x80bad\xc3(x", b"1"), (b"ce_type", None)])


@pytest.mark.parametrize("pack", [bytes, compressed])
def test_a_name_that_is_not_utf8_is_read_and_all_the_others_are_as_they_were(pack):
    data = pack(batch_of(GOOD, GOOD)) + pack(batch_of(GOOD, BAD, GOOD, base=2))
    found = read(data + pack(batch_of(GOOD, base=5)))
    assert [offset for offset, *_ in found] == list(range(6))
    assert found[3] == (3, 1_700_000_000_001, None, b"", [("???bad?(x", b"1"), ("ce_type", None)])
    assert {tuple(rest[1:3]) for offset, *rest in found if offset != 3} == {(b"k", b"v")}


@given(
    st.lists(
        st.tuples(
            st.none() | st.binary(max_size=9),
            st.none() | st.binary(max_size=9),
            st.lists(st.tuples(st.binary(min_size=6, max_size=12), st.none() | st.binary(max_size=9))),
        ),
        min_size=1,
    )
)
def test_every_record_is_read_whatever_its_names_and_none_gets_longer(records):
    found = read(batch_of(*records))
    assert [(key, value) for _, _, key, value, _ in found] == [(key, value) for key, value, _ in records]
    for (*_, headers), (_, _, sent) in zip(found, records, strict=True):
        assert [value for _, value in headers] == [value for _, value in sent]
        assert all(len(name.encode()) <= len(raw) for (name, _), (raw, _) in zip(headers, sent, strict=True))


def test_what_is_utf8_is_read_as_aiokafka_reads_it():
    data = batch_of(GOOD, (b"\xff", None, [("héader".encode(), None)])) + compressed(batch_of(GOOD, base=2))
    assert read(data) == read(data, MemoryRecords)
