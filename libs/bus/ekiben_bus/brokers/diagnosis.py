"""What a broker's log says about why it did not start, and what to try."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_LAST_BYTES = 32 * 1024
_CAUSES = (
    (
        "Failed to acquire lock on file",
        "another broker works on this folder of data: stop it, or name another folder",
    ),
    ("Socket server failed to bind", "another program listens on its port: stop it, or name another port"),
    ("OutOfMemoryError", "the heap is too small for what the folder of data holds: give it more"),
    ("No space left on device", "the disk is full: make room, or name a folder of data elsewhere"),
    (
        "Invalid cluster.id",
        "the folder of data belongs to another cluster: name an empty folder, or remove this one",
    ),
    (
        "Failed to read metadata",
        "the folder of data was written by a newer Kafka: name an empty folder, or remove this one",
    ),
)
_ANYTHING_ELSE = "read the log; an empty folder of data always starts"


def last_lines(log: Path, count: int = 20) -> list[str]:
    """The end of a log, for an error message. Empty where there is none."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - _LAST_BYTES))
        return file.read().decode("utf-8", "replace").splitlines()[-count:]


def advice(lines: Sequence[str]) -> str:
    """What to try, from the lines of a log."""
    text = "\n".join(lines)
    return next((mend for sign, mend in _CAUSES if sign in text), _ANYTHING_ELSE)
