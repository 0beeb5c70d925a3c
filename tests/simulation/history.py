"""What a run has written and committed, as the ledger reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiokafka import TopicPartition

from ekiben_bus.deadletters import PREFIX as DLQ
from ekiben_bus.lanes import PREFIX as LANE
from ekiben_bus.memory import StoredRecord
from ekiben_contracts.topics import (
    DEAD_LETTERS,
    GATEWAY,
    MODEL_OUTPUTS,
    PREDICTION_REQUESTS,
    REPLAY,
    SYNTHESIZER,
    Topic,
    side_purposes,
    side_topic,
)
from simulation.claims import Claim, Copy, Due, Event, Letter, Place, Violation, Written
from simulation.custody import Custody
from simulation.ledger import (
    disordered,
    misplaced,
    unanswered,
    unasked,
    uncommitted,
    wrong_lanes,
    wrong_letters,
)
from simulation.plan import PREFIX
from simulation.requests import OUTPUTS, RESULTS, due_for_request, due_for_scored
from simulation.trace import Trace

DueFor = Callable[[StoredRecord, Claim], Due]
READ: tuple[tuple[Topic, str, DueFor], ...] = (
    (PREDICTION_REQUESTS, GATEWAY, due_for_request),
    (MODEL_OUTPUTS, SYNTHESIZER, due_for_scored),
)


def side(topic: Topic, group: str, purpose: str) -> str:
    """A topic beside a topic."""
    return PREFIX + side_topic(topic.name, group, purpose)


class History:
    """Told of every append and commit. `ends` are the ends of all logs that some group has to read."""

    def __init__(self, trace: Trace, read: tuple[tuple[Topic, str, DueFor], ...]) -> None:
        self.custody = Custody()
        self.dues: list[Due] = []
        self.events: list[Event] = []
        self.letters: list[Letter] = []
        self.copies: list[Copy] = []
        self.ends: dict[TopicPartition, int] = {}
        self._trace = trace
        self._sources = {PREFIX + topic.name: due_for for topic, _, due_for in read}
        self._graves = {side(topic, group, DEAD_LETTERS) for topic, group, _ in read}
        self._lanes = {
            side(topic, group, purpose): (purpose, due_for)
            for topic, group, due_for in read
            for purpose in side_purposes(topic, group)
            if purpose != DEAD_LETTERS
        }

    def appended(self, record: StoredRecord) -> None:
        """By the topic it is on."""
        place = Place(record.topic, record.partition, record.offset)
        self._trace.note(f"append {record.topic}-{record.partition} {record.offset} {_name(record)}")
        if record.topic in (RESULTS, OUTPUTS):
            event = Event(place, _header(record, "ce_id"), record.key)
            self.events.append(event)
            self.custody.write(Written(record.topic, event.id))
        if record.topic in self._sources:
            claim = Claim(*place)
            self._expect(self._sources[record.topic](record, claim))
            self._keep(claim, place)
        elif record.topic in self._graves:
            self._bury(record, place)
        elif record.topic in self._lanes:
            self._move(record, place)

    def committed(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """A group has committed."""
        reached = " ".join(f"{place.partition}:{offset}" for place, offset in sorted(offsets.items()))
        self._trace.note(f"commit {group} {reached}")
        self.custody.commit(offsets, self.ends)

    @property
    def is_settled(self) -> bool:
        """Whether all is answered, and all that is to be read was."""
        return not self.custody.open and not self.lag()

    def violations(self) -> list[Violation]:
        """Of every promise."""
        return [
            *self.custody.violations,
            *unanswered(self.dues, self.events, self.letters),
            *unasked(self.dues, self.events),
            *misplaced(self.dues, self.events),
            *wrong_letters(self.dues, self.letters),
            *disordered(self.dues, self.events, self.copies),
            *wrong_lanes(self.dues, self.copies, self.letters),
        ]

    def lag(self) -> list[Violation]:
        """To be asked before the end: the last commit of one that was expelled may undo another's (it may:
        what is then read again is answered with the same ids)."""
        return uncommitted(self.custody.committed, self.ends)

    def _expect(self, due: Due) -> None:
        self.dues.append(due)
        self.custody.expect(due)

    def _keep(self, claim: Claim, place: Place) -> None:
        self.ends[place.log] = place.offset + 1
        self.custody.keep(claim, place)

    def _bury(self, record: StoredRecord, place: Place) -> None:
        original = [header for header in record.headers if not header[0].startswith(DLQ)]
        letter = Letter(
            place,
            _header(record, "dlq-id"),
            _claim(record, DLQ),
            record.key,
            record.value,
            original,
            _header(record, "dlq-reason"),
        )
        self.letters.append(letter)
        self.custody.write(letter.id)

    def _move(self, record: StoredRecord, place: Place) -> None:
        lane, due_for = self._lanes[record.topic]
        claim = _claim(record, LANE)
        if lane == REPLAY:
            self._expect(due_for(record, claim))
        self.copies.append(Copy(place, lane, claim, record.value))
        self._keep(claim, place)


def _claim(record: StoredRecord, prefix: str) -> Claim:
    said = {name.removeprefix(prefix): value for name, value in record.headers if name.startswith(prefix)}
    return Claim(said["topic"].decode(), int(said["partition"]), int(said["offset"]), int(said["attempt"]))


def _header(record: StoredRecord, name: str) -> str:
    return dict(record.headers)[name].decode()


def _name(record: StoredRecord) -> str:
    named = dict(record.headers)
    for header in ("ce_id", "dlq-id"):
        if header in named:
            return named[header].decode()
    return "/".join(named[LANE + part].decode() for part in ("partition", "offset") if LANE + part in named)
