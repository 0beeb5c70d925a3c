"""A record of another version than the newest: as which type it is read, or what is said of it."""

from __future__ import annotations

from pydantic import ValidationError

from ekiben_contracts.envelope import Envelope
from ekiben_contracts.errors import NewerVersionError, Reason, UnreadableError
from ekiben_contracts.event import Event
from ekiben_contracts.evolution.names import number_of, stem_of
from ekiben_contracts.evolution.upcasting import upcast
from ekiben_contracts.topics import Topic
from ekiben_contracts.wording import found, outline


def resolve(envelope: Envelope, topic: Topic) -> tuple[type[Event], type[Event]]:
    """As which type to read what names none of the newest, and which of those it becomes.

    Raises:
        NewerVersionError: it is of the next version of what the topic carries.
        UnreadableError: it is of any other type that the topic does not carry.
    """
    older = topic.older.get(envelope.type)
    if older is not None:
        return older
    if envelope.type is None:
        raise UnreadableError(
            Reason.UNKNOWN_TYPE,
            f"expected a ce_type header, since {topic.name} carries {_carried(topic)}; found none",
            ce_id=envelope.id,
        )
    told = f"expected {_carried(topic)} on {topic.name}, found {found(envelope.type)}"
    known = [t.type for t in topic.types if stem_of(t.type) == stem_of(envelope.type)]
    if not known:
        raise UnreadableError(Reason.UNKNOWN_TYPE, told, ce_id=envelope.id)
    if number_of(envelope.type) != (number_of(known[0]) or 0) + 1:
        raise UnreadableError(Reason.UNKNOWN_VERSION, told, ce_id=envelope.id)
    mend = f"{told}, of a later release: upgrade this service, then {_replay(topic, Reason.UNKNOWN_VERSION)}"
    raise NewerVersionError(Reason.UNKNOWN_VERSION, mend, ce_id=envelope.id)


def to_newest(event: Event, newest: type[Event], topic: Topic, ce_id: str | None) -> Event:
    """An event of an older version as the newest.

    Raises:
        UnreadableError: an upcaster failed on it.
    """
    try:
        return upcast(event, newest)
    except Exception as error:
        # what else an upcaster says may quote what is nobody's business: the stack tells its line
        why = f": {outline(error)}" if isinstance(error, ValidationError) else ""
        raise UnreadableError(
            Reason.NOT_UPCAST,
            f"expected {newest.type} out of {event.type}, found {type(error).__name__}{why}; mend its "
            f"upcaster, then {_replay(topic, Reason.NOT_UPCAST)}",
            ce_id=ce_id,
        ) from error


def _replay(topic: Topic, reason: Reason) -> str:
    return f"`ekiben dlq replay --topic {topic.name} --reason {reason}`"


def _carried(topic: Topic) -> str:
    return " or ".join(event_type.type for event_type in topic.types)
