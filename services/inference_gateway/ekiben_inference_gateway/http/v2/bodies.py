"""Where the JSON header of a body ends, and the binary that follows it, taken off piece by piece."""

from __future__ import annotations

from typing import Final

from ekiben_inference_gateway.http.v2.refused import RefusedError, shortly

HEADER_LENGTH: Final = "Inference-Header-Content-Length"
BINARY: Final = "application/octet-stream"
_LONGEST_LENGTH: Final = 18


class Binary:
    """The binary part of a body. Its tensors are taken in the order of their heads, as views."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._taken = 0

    def take(self, size: int) -> memoryview:
        """The next tensor.

        Raises:
            RefusedError: there is less than its size.
        """
        left = len(self._data) - self._taken
        if size > left:
            raise RefusedError(
                f"expected {shortly(size)} bytes of binary data, found {left}. Was the body cut off, or is "
                f"{HEADER_LENGTH} or binary_data_size wrong?"
            )
        start, self._taken = self._taken, self._taken + size
        return self._data[start : self._taken]

    def finish(self) -> None:
        """Nothing may follow the last tensor.

        Raises:
            RefusedError: something does.
        """
        if left := len(self._data) - self._taken:
            raise RefusedError(
                f"expected {self._taken} bytes of binary data, the sum of every binary_data_size, found "
                f"{len(self._data)}: {left} belong to no input. Give each binary input its binary_data_size"
            )


def split(body: bytes, header_length: str | None) -> tuple[bytes, Binary]:
    """The JSON header and the binary behind it. Without a length, the whole body is the header.

    Raises:
        RefusedError: the length is no number, or beyond the body.
    """
    if header_length is None:
        return body, Binary(memoryview(b""))
    text = header_length.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_LENGTH):
        raise RefusedError(
            f"{HEADER_LENGTH}: expected the bytes of the JSON header as a number, found {shortly(text)}"
        )
    length = int(text)
    if length > len(body):
        raise RefusedError(
            f"{HEADER_LENGTH}: expected at most the {len(body)} bytes of the body, found {length}. Was the "
            "body cut off?"
        )
    return body[:length], Binary(memoryview(body)[length:])
