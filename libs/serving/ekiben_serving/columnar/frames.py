"""The frame: a magic, a JSON header, and buffers whose lengths the header tells. No pickle, no trust."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
T = TypeVar("T")

_PREFIX: Final = struct.Struct("<4sI")
_ALIGNMENT: Final = 8
_MOST_SHOWN: Final = 60
_MOST_BITS_SHOWN: Final = 128


class ColumnarError(ValueError):
    """A body that is no frame, or values that fit no column: what was expected and what was found."""


class CutOffError(ColumnarError):
    """A frame that ends before what its header tells: it was right, but not all of it came."""


class Buffers:
    """Takes the buffers of a frame off a body, one after the other, as views."""

    def __init__(self, body: bytes, offset: int) -> None:
        self._body = body
        self._offset = offset

    def take(self, dtype: str, count: int) -> Array:
        """The next buffer, which has `count` values."""
        size = count * np.dtype(dtype).itemsize
        if self._offset + size > len(self._body):
            left = max(len(self._body) - self._offset, 0)
            raise CutOffError(f"expected {size} bytes for a buffer, found {left}. Was the body cut off?")
        values = np.frombuffer(self._body, dtype, count, self._offset)
        self._offset += size + _padding(size)
        return values

    def finish(self) -> None:
        """Nothing may follow the last buffer."""
        if self._offset != len(self._body):
            raise ColumnarError(f"expected a body of {self._offset} bytes, found {len(self._body)}")


def pack(magic: bytes, header: Mapping[str, object], buffers: Sequence[Array]) -> bytes:
    """A frame."""
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * _padding(_PREFIX.size + len(head))
    parts: list[bytes] = [_PREFIX.pack(magic, len(head)), head]
    for buffer in buffers:
        parts += (buffer.tobytes(), bytes(_padding(buffer.nbytes)))
    return b"".join(parts)


def unpack(magic: bytes, body: bytes) -> tuple[dict[str, Any], Buffers]:
    """The header of a frame, and its buffers to take.

    Raises:
        CutOffError: it is the beginning of one.
        ColumnarError: it is no frame of this magic.
    """
    if len(body) < _PREFIX.size or not body.startswith(magic):
        cut_off = magic.startswith(body[: len(magic)])
        raise (CutOffError if cut_off else ColumnarError)(
            f"expected a body that starts with {magic!r} and its length, found {body[:8]!r}"
        )
    end = _PREFIX.size + _PREFIX.unpack_from(body)[1]
    if end > len(body):
        raise CutOffError(
            f"expected a header up to byte {end}, found {len(body)} bytes. Was the body cut off?"
        )
    try:
        header = json.loads(body[_PREFIX.size : end].decode())
    except (ValueError, RecursionError) as error:
        raise ColumnarError(
            f"expected a JSON header, found {brief(body[_PREFIX.size : end])}: {error}"
        ) from None
    if not isinstance(header, dict):
        raise ColumnarError(f"expected a JSON object as header, found {brief(header)}")
    return header, Buffers(body, end)


def field(fields: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """A field of a header, of exactly this type: True is no row count."""
    value = fields.get(name)
    if type(value) is not kind:
        raise ColumnarError(f"expected {name} as {kind.__name__}, found {brief(value)}")
    return value


def texts(what: str, values: list[Any], most: int) -> list[str]:
    """A list of a header that holds texts, and not too many."""
    if len(values) > most or not all(map(is_text, values)):
        raise ColumnarError(f"{what}: expected at most {most} texts, found {brief(values)}")
    return values


def is_text(value: object) -> bool:
    """Whether it is a text that can be written as UTF-8: JSON may hold half of a surrogate pair."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def within(what: str, found: int, most: int) -> None:
    """Refuse what there is none or too much of."""
    if not 1 <= found <= most:
        raise ColumnarError(f"expected 1 to {most} {what}, found {brief(found)}")


def brief(value: object) -> str:
    """A value in an error: short, and never a number too long to print."""
    if isinstance(value, int) and value.bit_length() > _MOST_BITS_SHOWN:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, (list, dict)):
        return f"a {type(value).__name__} of {len(value)}"
    return repr(value[:_MOST_SHOWN] if isinstance(value, (str, bytes)) else value)


def _padding(size: int) -> int:
    return -size % _ALIGNMENT
