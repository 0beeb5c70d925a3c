"""Lines out of a stream of bytes, numbered from 1, each bounded. Pure: reading is the caller's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end; `text` is None where it was too long to keep."""

    number: int
    text: bytes | None


class LineSplitter:
    """Feed it chunks as they come. Memory stays within one chunk and one longest line."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._rest = b""
        self._number = 1
        self._is_overlong = False

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """The lines that this chunk completes."""
        *whole, rest = (self._rest + chunk).split(b"\n")
        for text in whole:
            yield self._take(text)
        self._is_overlong = self._is_overlong or len(rest) > self._longest
        self._rest = b"" if self._is_overlong else rest

    def finish(self) -> Iterator[Line]:
        """The last line, where no line end followed it."""
        if self._rest or self._is_overlong:
            yield self._take(self._rest)

    def _take(self, text: bytes) -> Line:
        too_long = self._is_overlong or len(text) > self._longest
        line = Line(self._number, None if too_long else text.removesuffix(b"\r"))
        self._number += 1
        self._is_overlong = False
        return line
