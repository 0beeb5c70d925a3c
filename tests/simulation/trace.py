"""Everything that happened in a run, in order: as a digest that tells runs apart, and as lines to read."""

from __future__ import annotations

import asyncio
import hashlib

from simulation.clock import process_name


class Trace:
    """Two runs of one seed have the same digest, or something in them is not decided by the seed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, keep: bool = False) -> None:
        self._loop = loop
        self._keep = keep
        self._hash = hashlib.blake2b(digest_size=16)
        self.lines: list[str] = []

    def note(self, what: str) -> None:
        """Something happened now, in the process that runs now."""
        line = f"{self._loop.time():11.6f} {process_name():<14} {what}"
        self._hash.update(line.encode())
        if self._keep:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        """Of all lines so far."""
        return self._hash.hexdigest()
