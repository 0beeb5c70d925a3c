"""Records whose header names are not UTF-8: read, where aiokafka would stop for ever.

The protocol says that a header's name is UTF-8; no broker checks it, and clients that take bytes
write any. aiokafka 0.14 raises UnicodeDecodeError out of `getmany`, again and again, and what it had
gathered of other partitions in that poll is passed over: one such record stops a consumer and loses
records of its neighbours. Here such a batch is parsed once more, with ? for what cannot be read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import (
    DefaultRecord,
    _DefaultRecordBatchPy,  # pyright: ignore[reportPrivateUsage] - it knows headers, time and compression
)
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

_LENGTH = struct.Struct(">8xi")
_MAGIC = struct.Struct(">16xb")
_LEGACY = 2
"""Batches of a lower magic have no headers."""


def tolerate_header_names() -> None:
    """From now on, every consumer of aiokafka in this process reads them. Doing it again changes nothing."""
    fetcher.MemoryRecords = TolerantRecords  # the only place to enter


class TolerantRecords:
    """What a fetch returned for one partition, batch by batch, as aiokafka's MemoryRecords."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._records = MemoryRecords(data)
        self._position = 0

    def size_in_bytes(self) -> int:
        """Bytes of all batches."""
        return self._records.size_in_bytes()

    def has_next(self) -> bool:
        """Whether there is another whole batch."""
        return self._records.has_next()

    def next_batch(self) -> Any:
        """The next batch; None after the last."""
        batch: Any = self._records.next_batch()
        if batch is None:
            return None
        begin = self._position
        (length,) = _LENGTH.unpack_from(self._data, begin)
        self._position += _LENGTH.size + length
        if _MAGIC.unpack_from(self._data, begin)[0] < _LEGACY or batch.is_control_batch:
            return batch
        return _Batch(batch, self._data[begin : self._position])


class _Batch:
    """A batch as aiokafka has it, but for iteration."""

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch = batch
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[DefaultRecord]:
        # one at a time: of a whole batch the first would have left the caches when they are read
        handed_out = 0
        try:
            for record in self._batch:
                handed_out += 1
                yield record
        except UnicodeDecodeError:
            yield from islice(_AnyNames(self._data), handed_out, None)


class _AnyNames(_DefaultRecordBatchPy):
    """Reads a record as its parent does, header names apart."""

    def _read_msg(self) -> DefaultRecord:
        length, begin = decode_varint(self._buffer, self._pos)
        position = begin + 1  # attributes, of which there are none yet
        since, position = decode_varint(self._buffer, position)
        behind, position = decode_varint(self._buffer, position)
        key, position = self._bytes(position)
        value, position = self._bytes(position)
        count, position = decode_varint(self._buffer, position)
        headers: list[tuple[str, bytes | None]] = []
        for _ in range(count):
            name, position = self._bytes(position)
            header, position = self._bytes(position)
            headers.append((_text(name or b""), header))
        if position - begin != length:
            raise CorruptRecordException(f"expected a record of {length} bytes, found {position - begin}")
        self._pos = position
        timestamp = self.max_timestamp if self.timestamp_type else self.first_timestamp + since
        return DefaultRecord(self.base_offset + behind, timestamp, self.timestamp_type, key, value, headers)

    def _bytes(self, position: int) -> tuple[bytes | None, int]:
        size, position = decode_varint(self._buffer, position)
        if size < 0:
            return None, position
        return bytes(self._buffer[position : position + size]), position + size


def _text(name: bytes) -> str:
    """Never longer than it was in bytes: the record has to fit a dead-letter topic."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode(errors="replace").replace("\ufffd", "?")
