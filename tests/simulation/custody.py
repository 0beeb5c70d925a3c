"""At every instant each record is somewhere: answered, or where its group will read it. Asked at each commit.

This is what a crash at that instant would leave behind, so it covers every point at which one could come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping

from aiokafka import TopicPartition

from simulation.claims import Claim, Due, Place, Violation


class Custody:
    """Bookkeeping alone: it is told what was written and what was committed, in order."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.committed: dict[TopicPartition, int] = {}
        self._needs: dict[Claim, set[Hashable]] = {}
        self._awaiting: defaultdict[Hashable, set[Claim]] = defaultdict(set)
        self._there: set[Hashable] = set()
        self._claim_at: dict[Place, Claim] = {}
        self._places: defaultdict[Claim, list[Place]] = defaultdict(list)

    @property
    def open(self) -> Iterable[Claim]:
        """Claims that something is still to come of."""
        return [claim for claim, needs in self._needs.items() if needs]

    def expect(self, due: Due) -> None:
        """A record was written that is to be answered."""
        needs: set[Hashable] = set(due.events)
        if due.letter is not None:
            needs.add(due.letter)
        self._needs[due.claim] = needs - self._there
        for need in self._needs[due.claim]:
            self._awaiting[need].add(due.claim)

    def keep(self, claim: Claim, place: Place) -> None:
        """A record of this claim was written where its group reads it."""
        self._claim_at[place] = claim
        self._places[claim].append(place)

    def write(self, what: Hashable) -> None:
        """An event, or a dead letter by its id, was written."""
        self._there.add(what)
        for claim in self._awaiting.pop(what, ()):
            self._needs[claim].discard(what)

    def commit(self, offsets: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> None:
        """A group committed; `ends` are the ends of those logs."""
        for log, offset in offsets.items():
            before = self.committed.get(log, 0)
            self.committed[log] = offset
            if offset > ends[log]:
                self._violate(
                    f"{log.topic}-{log.partition} was committed at {offset}, past its end {ends[log]}"
                )
            for passed in range(before, offset):
                self._check(Place(log.topic, log.partition, passed))

    def rewind(self, log: TopicPartition, offset: int) -> None:
        """The brokers forgot the latest commits."""
        self.committed[log] = min(offset, self.committed.get(log, 0))

    def _check(self, place: Place) -> None:
        claim = self._claim_at.get(place)
        if claim is None or not self._needs.get(claim):
            return
        if any(kept.offset >= self.committed.get(kept.log, 0) for kept in self._places[claim]):
            return
        self._violate(
            f"{place} was committed, and {claim} is nowhere: missing {sorted(map(str, self._needs[claim]))}"
        )

    def _violate(self, detail: str) -> None:
        self.violations.append(Violation("nothing is lost at a crash", detail))
