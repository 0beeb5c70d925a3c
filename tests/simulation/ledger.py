"""The promises of the bus, checked on what a run has left behind. Pure: from records to violations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from ekiben_contracts.topics import REPLAY, RETRIES
from simulation.claims import Claim, Copy, Due, Event, Letter, Violation, Written

_LISTED = 3


def unanswered(dues: Iterable[Due], events: Iterable[Event], letters: Iterable[Letter]) -> list[Violation]:
    """Each claim has every event that is due, and its dead letter if it is to have one."""
    written = {Written(event.place.topic, event.id) for event in events}
    buried = {letter.id for letter in letters}
    return [
        Violation("every request is answered", f"{due.claim} has no {missing}")
        for due in dues
        for missing in [
            *(str(event) for event in sorted(due.events - written)),
            *([f"dead letter {due.letter}"] if due.letter is not None and due.letter not in buried else []),
        ]
    ]


def unasked(dues: Iterable[Due], events: Iterable[Event]) -> list[Violation]:
    """After dropping equal ids there is exactly what was due: no other id is ever written."""
    wanted = {event for due in dues for event in due.events}
    strange = {Written(e.place.topic, e.id) for e in events} - wanted
    return [
        Violation("one terminal event for each attempt", f"nobody asked for {s}") for s in sorted(strange)
    ]


def misplaced(dues: Iterable[Due], events: Iterable[Event]) -> list[Violation]:
    """An event has the key and the partition of a record that asked for it."""
    homes: defaultdict[Written, set[tuple[bytes | None, int]]] = defaultdict(set)
    for due in dues:
        for event in due.events:
            homes[event].add((due.key, due.claim.partition))
    return [
        Violation("an output keeps key and partition", f"{event} belongs to {homes[written]}")
        for event in events
        if (written := Written(event.place.topic, event.id)) in homes
        and (event.key, event.place.partition) not in homes[written]
    ]


def wrong_letters(dues: Iterable[Due], letters: Iterable[Letter]) -> list[Violation]:
    """Every dead letter was due, and holds its record byte for byte, with the right place and attempt."""
    by_id = {due.letter: due for due in dues if due.letter is not None}
    found: list[Violation] = []
    for letter in letters:
        due = by_id.get(letter.id)
        if due is None:
            found.append(Violation("a dead letter only where one is due", f"{letter.id} ({letter.reason})"))
        elif _content(letter) != _content(due) or letter.place.partition != due.claim.partition:
            found.append(Violation("a dead letter is its record unchanged", f"{letter} of {due}"))
        elif letter.claim != due.claim:
            found.append(Violation("a dead letter names its record", f"{letter.claim}, not {due.claim}"))
    return found


def _content(record: Due | Letter) -> tuple[object, ...]:
    return record.key, record.value, tuple(record.headers)


def disordered(dues: Sequence[Due], events: Sequence[Event], copies: Iterable[Copy]) -> list[Violation]:
    """First occurrences are in input order by input partition and model; what was moved is outside of it."""
    asked = _rank_by_flow(dues, {copy.claim for copy in copies})
    seen: set[tuple[Written, int]] = set()
    flows: defaultdict[tuple[str, str, int, str], list[tuple[int, str]]] = defaultdict(list)
    for event in sorted(events, key=lambda event: event.place):
        written = Written(event.place.topic, event.id)
        if (written, event.place.partition) in seen or (written, event.place.partition) not in asked:
            continue
        seen.add((written, event.place.partition))
        offset, source, model = asked[written, event.place.partition]
        flows[event.place.topic, source, event.place.partition, model].append((offset, event.id))
    return [
        Violation("order by partition and model", f"{flow}: {later} before {sooner}")
        for flow, order in flows.items()
        for later, sooner in pairwise(order)
        if later > sooner
    ]


def _rank_by_flow(dues: Sequence[Due], moved: set[Claim]) -> dict[tuple[Written, int], tuple[int, str, str]]:
    """(event, partition) → (input offset, input topic, model), of the events that order is promised for."""
    ranks: dict[tuple[Written, int], tuple[int, str, str]] = {}
    outside = {event for due in dues if due.claim in moved or due.claim.attempt > 1 for event in due.events}
    outside |= _of_two_sources(dues)
    for due in sorted(dues, key=lambda due: due.claim):
        for event in due.events - outside:
            ranks.setdefault((event, due.claim.partition), (due.claim.offset, due.claim.topic, due.model))
    return ranks


def _of_two_sources(dues: Iterable[Due]) -> set[Written]:
    """A request id used again, once answered by the gateway and once by the synthesizer: in no one order."""
    sources: defaultdict[Written, set[str]] = defaultdict(set)
    for due in dues:
        for event in due.events:
            sources[event].add(due.claim.topic)
    return {event for event, topics in sources.items() if len(topics) > 1}


def wrong_lanes(dues: Iterable[Due], copies: Sequence[Copy], letters: Iterable[Letter]) -> list[Violation]:
    """A record on a lane is one that was asked, unchanged; retries are taken in their turn."""
    by_claim = {due.claim: due for due in dues}
    lanes: defaultdict[Claim, set[str]] = defaultdict(set)
    found: list[Violation] = []
    for copy in copies:
        lanes[copy.claim].add(copy.lane)
        due = by_claim.get(copy.claim)
        if due is None or due.value != copy.value or copy.place.partition != due.claim.partition:
            found.append(Violation("a moved record is unchanged", str(copy)))
        if copy.lane == REPLAY and copy.claim.attempt == 1:
            found.append(Violation("a replay is another attempt", str(copy.place)))
    for claim, names in lanes.items():
        burned = [lane in names for lane in RETRIES]
        if burned != sorted(burned, reverse=True):
            found.append(Violation("retries are taken in turn", f"{claim} was on {sorted(names)}"))
    return found + [
        Violation("all retries are taken", f"{letter.id}: {sorted(lanes[letter.claim])}")
        for letter in letters
        if letter.reason == "retries-exhausted" and not lanes[letter.claim].issuperset(RETRIES)
    ]


def uncommitted(committed: Mapping[object, int], ends: Mapping[object, int]) -> list[Violation]:
    """Once all is quiet every group has committed all it had to read."""
    return [
        Violation("progress is committed", f"{log}: {committed.get(log, 0)} of {end}")
        for log, end in ends.items()
        if committed.get(log, 0) != end
    ]


def listed(violations: Sequence[Violation]) -> str:
    """The first few, for a report."""
    rest = f"\n  … and {len(violations) - _LISTED} more" if len(violations) > _LISTED else ""
    return "".join(f"\n  {violation}" for violation in violations[:_LISTED]) + rest
