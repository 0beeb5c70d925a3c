"""From verdicts to records: what a batch publishes, and which of its offsets that finishes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import groupby

from aiokafka import TopicPartition

from ekiben_bus.deadletters import Burial, dead_letter_record
from ekiben_bus.deciding import Decider, dead_letter_alone
from ekiben_bus.lanes import Lane, attempt_of, move
from ekiben_bus.naming import Naming
from ekiben_bus.publishing import WireRecord
from ekiben_bus.records import Record
from ekiben_bus.verdicts import DeadLetter, Emit, Failure, Hold, Outgoing, Park, Retry, Stage, Verdict
from ekiben_contracts.cloudevents import encode
from ekiben_contracts.topics import Topic

_MOST_HEADERS = 64 * 1024
_LONGEST_REASON = 500


class OutputTooLargeError(Exception):
    """An output is larger than its topic allows, so the broker would refuse it for ever."""


@dataclass(frozen=True)
class Author:
    """The service that writes: its name is in every event, its version in every dead letter."""

    service: str
    version: str
    naming: Naming

    @cached_property
    def source(self) -> str:
        """The ce_source of its events."""
        return f"/ekiben/{self.service}"


@dataclass(slots=True)
class Outbox:
    """What a batch has to publish, and the next offset of each partition once that is acknowledged.

    `moves` go first, and `records` once they are acknowledged: if a move fails and its record is then
    answered after all, no output of a later record may be there already.

    `reached` is the first offset of each partition that the batch is about: before it all is finished.

    `held` names, with the reason, the partitions whose rest has to be read again; `early` those
    whose next record is not due yet, and `due_in_s` when the first of them will be.
    """

    reached: dict[TopicPartition, int] = field(default_factory=dict[TopicPartition, int])
    moves: list[WireRecord] = field(default_factory=list[WireRecord])
    records: list[WireRecord] = field(default_factory=list[WireRecord])
    finished: dict[TopicPartition, int] = field(default_factory=dict[TopicPartition, int])
    held: dict[TopicPartition, str] = field(default_factory=dict[TopicPartition, str])
    early: dict[TopicPartition, int] = field(default_factory=dict[TopicPartition, int])
    due_in_s: float = 0.0
    answered: int = 0
    dead_letters: int = 0
    moved: int = 0


class Packer:
    """Turns the verdicts about the records of one lane into an outbox. Pure: the time comes from outside."""

    def __init__(self, topic: Topic, lane: Lane, author: Author, decider: Decider) -> None:
        self._dead_letters = author.naming.dead_letters(topic, author.service)
        self._lane = lane
        self._author = author
        self._decider = decider

    def pack(
        self, read: Sequence[Record], records: Sequence[Record], verdicts: Sequence[Verdict], now: datetime
    ) -> Outbox:
        """The first held record of a partition ends that partition's share: order is kept.

        `read` are the records where they were read, `records` the same as they were before any move.
        """
        outbox = Outbox()
        # a lane is one topic
        for partition, share in groupby(zip(read, records, verdicts, strict=True), _partition_read):
            place = TopicPartition(self._lane.topic, partition)
            if place not in outbox.held:
                self._pack_share(place, share, now, outbox)
        return outbox

    def _pack_share(
        self,
        place: TopicPartition,
        share: Iterable[tuple[Record, Record, Verdict]],
        now: datetime,
        outbox: Outbox,
    ) -> None:
        for at, record, verdict in share:
            held = self._carry_out(record, verdict, now, outbox)
            if held is not None:
                outbox.held[place] = held
                outbox.finished.setdefault(place, at.offset)
                return
            outbox.finished[place] = at.offset + 1
            outbox.answered += 1

    def _carry_out(self, record: Record, verdict: Verdict, now: datetime, outbox: Outbox) -> str | None:
        """Do as the verdict says. Returns why the record has to stay where it is, if it has to."""
        match verdict:
            case Emit() | DeadLetter():
                self._answer(record, verdict, now, outbox)
            case Hold(reason):
                return reason
            case Park(endpoint, reason):
                if self._lane.park_to is None:
                    return reason
                self._move(record, self._lane.park_to, outbox, endpoint=endpoint, reason=reason)
            case Retry(reason, otherwise):
                if self._lane.retry_to is None:
                    self._answer(record, otherwise, now, outbox)
                else:
                    self._move(record, self._lane.retry_to, outbox, reason=reason)
        return None

    def _move(self, record: Record, to: str, outbox: Outbox, **why: str) -> None:
        outbox.moves.append(move(record, to, **{name: text[:_LONGEST_REASON] for name, text in why.items()}))
        outbox.moved += 1

    def _answer(self, record: Record, verdict: Emit | DeadLetter, now: datetime, outbox: Outbox) -> None:
        try:
            self._add(record, verdict, now, outbox)
        except Exception as error:  # noqa: BLE001 - too large, or no JSON: it must not stop all behind it
            alone = dead_letter_alone(Failure(record, Stage.PUBLISH, error, self._decider.identify(record)))
            answer = self._decider.fail(record, Stage.PUBLISH, error)
            try:
                self._add(record, answer if isinstance(answer, Emit | DeadLetter) else alone, now, outbox)
            except Exception:  # noqa: BLE001 - then at least its bytes are kept
                self._add(record, alone, now, outbox)

    def _add(self, record: Record, verdict: Emit | DeadLetter, now: datetime, outbox: Outbox) -> None:
        written = [write(outgoing, self._author, now, record) for outgoing in verdict.outgoing]
        if isinstance(verdict, DeadLetter):
            burial = Burial(
                group=self._author.service,
                service=f"{self._author.service}/{self._author.version}",
                topic=self._dead_letters,
                dead_letter_id=self._decider.identify(record),
                attempt=attempt_of(record),
            )
            written.append(dead_letter_record(record, verdict, burial, now))
            outbox.dead_letters += 1
        outbox.records += written  # all of what a record causes, or nothing


def _partition_read(one: tuple[Record, Record, Verdict]) -> int:
    return one[0].partition


def write(outgoing: Outgoing, author: Author, now: datetime, cause: Record | None = None) -> WireRecord:
    """The record of one event: key and partition of the record that caused it, unless it has its own key.

    Raises:
        OutputTooLargeError: the broker would refuse it.
    """
    topic, event, key = outgoing.topic, outgoing.event, outgoing.key
    value, headers = encode(event, id=outgoing.id, source=author.source, time=now)
    partition = None
    if key is None and cause is not None:
        key, partition = cause.key, cause.partition
    if key is None:
        key = topic.key_of(event)
    record = WireRecord(author.naming.topic(topic), partition, key, value, headers)
    # adding the headers up costs as much as the rest: only where they could matter
    most = topic.max_message_bytes
    if len(value) > most - _MOST_HEADERS and record.size > most:
        raise OutputTooLargeError(f"expected at most {most} bytes on {record.topic}, found {record.size}")
    return record
