"""What a person needs to see to dead letters."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from ekiben.connection import Connection
from ekiben.dead_letters.searching import Search, Watch
from ekiben_bus.outbox import Author
from ekiben_contracts.topics import DEAD_LETTER_ACTIONS


@dataclass(frozen=True, slots=True)
class Desk:
    """A connection, a name to write under, and the time."""

    connection: Connection
    author: Author
    now: Callable[[], datetime]
    monotonic: Callable[[], float] = monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    @property
    def actions(self) -> str:
        """The topic of what was done."""
        return self.author.naming.topic(DEAD_LETTER_ACTIONS)

    def search(self, watch: Watch | None) -> Search:
        """A way to read."""
        return Search(self.connection) if watch is None else Search(self.connection, watch)
