"""The log files of the system's parts: bounded, and with our own notes between the lines of a part."""

from __future__ import annotations

from pathlib import Path

_LARGEST = 32 * 1024 * 1024
_TAIL_BYTES = 16 * 1024
_OURS = "--- ekiben up: "


def make_room(log: Path) -> None:
    """Before a start: its folder, and a fresh file when the one there is large. One older is kept."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LARGEST:
        log.replace(log.with_suffix(".log.1"))


def note(log: Path, line: str) -> None:
    """Write a line of ours, so that the log says why its part was started again."""
    with log.open("a", encoding="utf-8") as lines:
        lines.write(f"{_OURS}{line}\n")


def last_lines(log: Path, most: int) -> list[str]:
    """The last lines that are not notes of ours; none where there is no log."""
    try:
        with log.open("rb") as lines:
            lines.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            tail = lines.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [line for line in tail if line.strip() and not line.startswith(_OURS)][-most:]
