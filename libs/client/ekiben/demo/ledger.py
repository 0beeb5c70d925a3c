"""The books of a replay: what was sent, what became of it. Pure: times and events are told to it.

Every record that was sent ends in one of four columns: completed, failed, unreadable (nobody could
tell whose it is, so it has a dead letter and no answer), or lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Phase(StrEnum):
    """Which part of the replay a record belongs to."""

    BULK = "bulk"
    STORE = "store"
    OPENING = "opening"
    PACED = "paced"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Accounts:
    """sent = completed + failed + unreadable + lost. `failed` is by code, `missing` names some lost."""

    sent: int
    completed: int
    failed: Mapping[str, int]
    unreadable: int
    lost: int
    duplicates: int
    dead_letters: int
    missing: Sequence[str]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is lost."""
        return self.lost == 0


@dataclass(slots=True)
class _Entry:
    phase: Phase
    sent_at: float
    answered_at: float | None = None
    code: str | None = None
    is_buried: bool = False

    @property
    def is_settled(self) -> bool:
        return self.answered_at is not None or self.is_buried


@dataclass(slots=True)
class _Tally:
    sent: int = 0
    settled: int = 0
    first_sent_at: float | None = None
    last_settled_at: float | None = None


_MOST_NAMED = 5


@dataclass(slots=True)
class Ledger:
    """A key is a request id, or the name that a record without any was sent under."""

    _entries: dict[str, _Entry] = field(default_factory=dict)
    _tallies: dict[Phase, _Tally] = field(default_factory=lambda: {phase: _Tally() for phase in Phase})
    _letters: set[str] = field(default_factory=set)
    _duplicates: int = 0

    def sent(self, key: str, phase: Phase, at: float) -> None:
        """A record is on its way. Times are seconds of one clock.

        Raises:
            ValueError: the key was used before.
        """
        if key in self._entries:
            raise ValueError(f"expected a request id that was not used before, found {key!r} again")
        self._entries[key] = _Entry(phase, at)
        tally = self._tallies[phase]
        tally.sent += 1
        tally.first_sent_at = at if tally.first_sent_at is None else tally.first_sent_at

    def answered(self, key: str, at: float, *, code: str | None = None) -> bool:
        """A terminal event arrived: completed, or failed with a code. Whether it is ours, and the first.

        The first one of a request stands, any other is a duplicate.
        """
        entry = self._entries.get(key)
        if entry is None:
            return False
        if entry.answered_at is not None:
            self._duplicates += 1
            return False
        self._settle(entry, at)
        entry.answered_at = at
        entry.code = code
        return True

    def repeated(self, count: int) -> None:
        """Terminal events that the reader has dropped because it had seen their ids."""
        self._duplicates += count

    def buried(self, letter: str, key: str | None, at: float) -> None:
        """A dead letter was found, and which record it holds where that can be told."""
        self._letters.add(letter)
        entry = self._entries.get(key) if key is not None else None
        if entry is not None:
            self._settle(entry, at)
            entry.is_buried = True

    def _settle(self, entry: _Entry, at: float) -> None:
        if entry.is_settled:
            return
        tally = self._tallies[entry.phase]
        tally.settled += 1
        tally.last_settled_at = max(at, tally.last_settled_at or at)

    def sent_in(self, phase: Phase) -> int:
        """Records of a phase."""
        return self._tallies[phase].sent

    def settled_in(self, phase: Phase) -> int:
        """Records of a phase that are answered or buried."""
        return self._tallies[phase].settled

    def is_settled(self) -> bool:
        """Whether everything that was sent is answered or buried."""
        return all(tally.settled == tally.sent for tally in self._tallies.values())

    def rate(self, phase: Phase) -> float | None:
        """Records a second, from the first that was sent to the last that was settled."""
        tally = self._tallies[phase]
        if tally.first_sent_at is None or tally.last_settled_at is None:
            return None
        passed = tally.last_settled_at - tally.first_sent_at
        return tally.settled / passed if passed > 0 else None

    def latencies(self, phase: Phase) -> list[float]:
        """Seconds from sending to the answer, of every answered request of a phase."""
        return [
            entry.answered_at - entry.sent_at
            for entry in self._entries.values()
            if entry.phase is phase and entry.answered_at is not None
        ]

    def accounts(self) -> Accounts:
        """The books as they stand."""
        answered = [entry for entry in self._entries.values() if entry.answered_at is not None]
        failed = Counter(entry.code for entry in answered if entry.code is not None)
        missing = [key for key, entry in self._entries.items() if not entry.is_settled]
        return Accounts(
            sent=len(self._entries),
            completed=len(answered) - failed.total(),
            failed=dict(failed.most_common()),
            unreadable=len(self._entries) - len(answered) - len(missing),
            lost=len(missing),
            duplicates=self._duplicates,
            dead_letters=len(self._letters),
            missing=missing[:_MOST_NAMED],
        )
