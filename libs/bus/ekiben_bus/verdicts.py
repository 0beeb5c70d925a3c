"""What a handler decides about each input; the bus carries it out.

A handler is a plain async function from a batch of inputs to one verdict each, in the same order.
It never publishes, commits or raises for a bad input: it says what should happen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct

from ekiben_bus.records import Received, Record
from ekiben_contracts.event import Event
from ekiben_contracts.topics import Topic


class Stage(StrEnum):
    """Where in the loop a record failed."""

    DECODE = "decode"
    HANDLE = "handle"
    PUBLISH = "publish"


class Outgoing(Struct, frozen=True, gc=False):
    """An event to publish. Without a key of its own it takes key and partition of its input.

    `id` is its ce_id: computed from the input, so that a redelivery publishes the same id.
    """

    topic: Topic
    event: Event
    id: str
    key: bytes | None = None


class Emit(Struct, frozen=True, gc=False):
    """The input is answered: publish these events, none included."""

    outgoing: tuple[Outgoing, ...] = ()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The input cannot be handled: keep its bytes, and publish what is still to be said."""

    reason: str
    error_class: str
    message: str
    stack: str = ""
    stage: Stage = Stage.HANDLE
    outgoing: tuple[Outgoing, ...] = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """It failed in a way that may pass: try again later, and when all retries are over, `otherwise`."""

    reason: str
    otherwise: DeadLetter


@dataclass(frozen=True, slots=True)
class Park:
    """Its endpoint is away or too slow: it waits aside, unchanged, and everybody else goes on.

    No retry is spent. The parked records are tried again from the first on until the endpoint answers.
    """

    endpoint: str
    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Nobody could be answered now: keep it unanswered where it is, and everything behind it.

    The batch's partitions are read again from their first unfinished record, after a back-off.
    """

    reason: str


Verdict = Emit | DeadLetter | Retry | Park | Hold
Handler = Callable[[Sequence[Received]], Awaitable[Sequence[Verdict]]]


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that could not be decoded, broke the handler, or whose output could not be published.

    `dead_letter_id` is the id its dead letter will have, should it become one. `received` is
    None where the record could not be decoded.
    """

    record: Record
    stage: Stage
    error: Exception
    dead_letter_id: str
    received: Received | None = None
    attempt: int = 1


OnFailure = Callable[[Failure], Verdict]
