"""The logs of the children: what they said last, and that they stay bounded."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

LARGEST_LOG = 16 * 1024 * 1024
_TAIL_BYTES = 8 * 1024
_MANY = 1_000
_BEGIN = "--- supervisor: a child starts"
_EXCEPTION = re.compile(r"[\w.]*(Error|Exception|Exit)\b: ")


def begin(log: Path) -> None:
    """Mark where the output of a new life begins: an error of an earlier one explains nothing."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(_BEGIN + "\n")


def last_lines(log: Path, most: int = 3) -> list[str]:
    """The last lines of the present life that are not empty."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            said = file.read().decode(errors="replace").rpartition(_BEGIN)[2]
    except FileNotFoundError:
        return []
    return [line.strip() for line in said.splitlines() if line.strip()][-most:]


def last_error(log: Path) -> str | None:
    """The last line that names an exception: what follows a traceback is mostly the server's own farewell."""
    named = [line for line in last_lines(log, _MANY) if _EXCEPTION.match(line)]
    return named[-1] if named else None


def bound(log: Path, largest: int = LARGEST_LOG) -> None:
    """Move what a log holds to NAME.log.1 once it is too large; its writer goes on in the emptied file."""
    if log.exists() and log.stat().st_size > largest:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        with log.open("r+b") as file:
            file.truncate()
