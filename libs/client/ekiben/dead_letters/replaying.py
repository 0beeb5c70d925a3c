"""What a replay sends: pure decisions about one dead letter."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue, ValidationError

from ekiben.dead_letters.graves import Grave
from ekiben.dead_letters.letter import DeadLetter
from ekiben.dead_letters.patching import NotApplicableError, Patch, change
from ekiben_bus.lanes import MovedRecord, replay
from ekiben_bus.publishing import WireRecord
from ekiben_contracts.cloudevents import decode
from ekiben_contracts.errors import ContractError
from ekiben_contracts.prediction import PredictionRequested
from ekiben_contracts.topics import HEADROOM
from ekiben_contracts.wording import outline

MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Treatment:
    """How to replay. Who has had `most_attempts` is left out; None leaves nobody out."""

    patch: Patch | None = None
    keep_deadline: bool = False
    most_attempts: int | None = MOST_ATTEMPTS


class Why(StrEnum):
    """Why a dead letter is left out of a replay."""

    RETURNING = "returning"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A dead letter that was selected and is not replayed."""

    id: str
    why: Why
    detail: str


def decide(letter: DeadLetter, grave: Grave, treatment: Treatment) -> WireRecord | LeftOut:
    """The record for T.G.replay, or why there is none. The same letter always gives the same record."""
    most = treatment.most_attempts
    if most is not None and letter.attempt >= most:
        detail = f"it came back {letter.returned} times, the last as {letter.reason}"
        return LeftOut(letter.id, Why.RETURNING, detail)
    if not letter.topic:
        return LeftOut(letter.id, Why.REFUSED, "its headers do not say where its record was read")
    try:
        record = _record(letter, grave, _value(letter, grave, treatment))
    except NotApplicableError as error:
        return LeftOut(letter.id, Why.REFUSED, str(error))
    most_bytes = grave.source.max_message_bytes + HEADROOM
    if record.size > most_bytes:
        detail = f"changed, it has {record.size} bytes, and {grave.replay} allows {most_bytes}"
        return LeftOut(letter.id, Why.REFUSED, detail)
    return record


def _value(letter: DeadLetter, grave: Grave, treatment: Treatment) -> bytes | None:
    value = letter.value
    if treatment.patch is not None:
        value = change(value, letter.headers, treatment.patch)
        _check(value, letter, grave)
    if treatment.keep_deadline or not _has_deadline(value, letter, grave):
        return value
    return change(value, letter.headers, _without_deadline)


def _check(value: bytes, letter: DeadLetter, grave: Grave) -> None:
    """Refuse what still breaks the contract: it would only come back.

    Nothing is quoted: an operation may have copied what is sensitive to where it is not.
    """
    try:
        decode(value, letter.headers, grave.source)
    except ContractError as error:
        wrong = error.__cause__
        told = outline(wrong) if isinstance(wrong, ValidationError) else error.reason
        raise NotApplicableError(f"changed, it breaks the contract: {told}") from None


def _record(letter: DeadLetter, grave: Grave, value: bytes | None) -> WireRecord:
    died = MovedRecord(
        letter.topic,
        letter.partition,
        letter.offset,
        letter.timestamp,
        letter.key,
        value,
        letter.headers,
        letter.attempt,
    )
    return replay(died, grave.replay)


def _has_deadline(value: bytes | None, letter: DeadLetter, grave: Grave) -> bool:
    try:
        data = decode(value, letter.headers, grave.source).data
    except ContractError:
        return False
    return isinstance(data, PredictionRequested) and data.deadline is not None


def _without_deadline(payload: JsonValue) -> JsonValue:
    return {**payload, "deadline": None} if isinstance(payload, dict) else payload
