"""Batches whose header names are any bytes: what clients write that take bytes, and no Python one does."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from itertools import count

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

_CRC_AT, _CHECKED_FROM = 17, 21


class RawNames:
    """A builder of batches that puts the given bytes in the place of their stand-ins.

    Each stand-in is as long as its name, and found nowhere else in the batch.
    """

    def __init__(self, builder: DefaultRecordBatchBuilder) -> None:
        self._builder = builder
        self._names: dict[bytes, bytes] = {}
        self._numbers = count()

    def __getattr__(self, name: str) -> object:
        return getattr(self._builder, name)

    def stand_in(self, name: bytes) -> str:
        """What to append in place of a name of at least six bytes."""
        found = f"~{next(self._numbers):05}".ljust(len(name), "~")
        assert len(found) == len(name), "expected a name of at least six bytes"
        self._names[found.encode()] = name
        return found

    def build(self) -> bytes:
        """The batch, with a checksum that is right again."""
        return with_names(bytes(self._builder.build()), self._names)


def with_names(batch: bytes, names: Mapping[bytes, bytes]) -> bytes:
    """An uncompressed batch with some bytes replaced, and its checksum made right."""
    changed = bytearray(batch)
    for stand_in, name in names.items():
        at = changed.index(stand_in)
        changed[at : at + len(name)] = name
    struct.pack_into(">I", changed, _CRC_AT, calc_crc32c(bytes(changed[_CHECKED_FROM:])))
    return bytes(changed)
