"""Whether a file is another than when it was looked at last."""

from __future__ import annotations

from pathlib import Path


class WatchedFile:
    """Looks at time, size and inode: cheap enough for every request. One that is gone has changed, too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._look()

    def has_changed(self) -> bool:
        """Since it was asked before. Look first, then read: what changes meanwhile is seen next time."""
        found = self._look()
        changed, self._seen = found != self._seen, found
        return changed

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
