"""The logs of the children: what they said last, and that they stay bounded."""

from __future__ import annotations

import shutil
from pathlib import Path

LARGEST_LOG = 16 * 1024 * 1024
_TAIL_BYTES = 8 * 1024


def last_lines(log: Path, most: int = 3) -> list[str]:
    """The last lines that are not empty."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [line.strip() for line in lines if line.strip()][-most:]


def bound(log: Path, largest: int = LARGEST_LOG) -> None:
    """Move what a log holds to NAME.log.1 once it is too large; its writer goes on in the emptied file."""
    if log.exists() and log.stat().st_size > largest:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        with log.open("r+b") as file:
            file.truncate()
