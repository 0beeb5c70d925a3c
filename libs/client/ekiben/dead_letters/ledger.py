"""What is known about millions of dead letters, on disk: which are settled, which were seen."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from hashlib import blake2b
from types import TracebackType
from typing import Self

from ekiben.dead_letters.letter import DeadLetter

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA cache_size = -4096;
CREATE TABLE settled (id BLOB PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE latest (origin BLOB PRIMARY KEY, attempt INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE seen (id BLOB PRIMARY KEY) WITHOUT ROWID;
"""


class Ledger:
    """A private file that SQLite removes by itself, whatever ends us; in memory it holds 4 MiB of it.

    An id is kept as 16 bytes of BLAKE2b: of ten million, two are alike once in 10^24.
    """

    def __init__(self) -> None:
        # without a name it is a temporary file: https://sqlite.org/inmemorydb.html#temp_db
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_TABLES)
        self._db.execute("BEGIN")  # never committed: a transaction for each row costs twice as much

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def settle(self, id: str, acted_at: datetime) -> None:
        """Somebody replayed or discarded this one."""
        self._db.execute(
            "INSERT INTO settled VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET at = max(at, excluded.at)",
            (_digest(id), acted_at.timestamp()),
        )

    def note_return(self, letter: DeadLetter) -> None:
        """Remember the last attempt of its record: an earlier one has been replayed, recorded or not."""
        if letter.attempt > 1:
            self._db.execute(
                "INSERT INTO latest VALUES (?, ?) ON CONFLICT (origin) DO UPDATE "
                "SET attempt = max(attempt, excluded.attempt)",
                (_digest(letter.origin), letter.attempt),
            )

    def is_settled(self, letter: DeadLetter) -> bool:
        """Whether nobody has to see to it any more: acted on, or a later attempt is there instead."""
        acted = self._db.execute("SELECT at FROM settled WHERE id = ?", (_digest(letter.id),)).fetchone()
        if acted is not None and letter.is_meant_by(datetime.fromtimestamp(acted[0], UTC)):
            return True
        row = self._db.execute(
            "SELECT 1 FROM latest WHERE origin = ? AND attempt > ?", (_digest(letter.origin), letter.attempt)
        )
        return row.fetchone() is not None

    def is_new(self, letter: DeadLetter) -> bool:
        """Whether this is the first of its record with its id; it is remembered either way."""
        once = _digest(f"{letter.timestamp}/{letter.id}")
        added = self._db.execute("INSERT OR IGNORE INTO seen VALUES (?)", (once,))
        return added.rowcount == 1


def _digest(text: str) -> bytes:
    return blake2b(text.encode(errors="backslashreplace"), digest_size=16).digest()
