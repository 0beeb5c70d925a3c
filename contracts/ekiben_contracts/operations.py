"""The events of operation: what people did about dead letters."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from ekiben_contracts.event import Event, Json, Utc
from ekiben_contracts.sensitive import SENSITIVE

LONGEST_DEAD_LETTER_ID = 400

DeadLetterId = Annotated[str, Field(min_length=1, max_length=LONGEST_DEAD_LETTER_ID)]
"""TOPIC/GROUP/PARTITION/OFFSET/ATTEMPT of what died."""


class DeadLetterReplayed(Event):
    """Somebody sent a dead letter back to the group that failed. `attempt` is the one that died."""

    type: ClassVar[str] = "ekiben.dead-letter.replayed.v1"

    dead_letter: DeadLetterId
    topic: str = Field(description="Where its record was read.")
    group: str = Field(description="Who could not handle it.")
    by: str = Field(description="Who did it.")
    why: str | None = Field(default=None, description="For people.")
    patch: list[dict[str, Json]] | None = Field(
        default=None,
        description="What was changed in the payload on the way: a JSON patch, RFC 6902.",
        json_schema_extra=SENSITIVE,
    )
    kept_deadline: bool = Field(default=False, description="Whether the record went back with its deadline.")
    acted_at: Utc


class DeadLetterDiscarded(Event):
    """Somebody decided that a dead letter needs no answer. `attempt` is the one that died."""

    type: ClassVar[str] = "ekiben.dead-letter.discarded.v1"

    dead_letter: DeadLetterId
    topic: str = Field(description="Where its record was read.")
    group: str = Field(description="Who could not handle it.")
    by: str = Field(description="Who did it.")
    why: str = Field(description="For people.")
    acted_at: Utc


class DeadLetterRevealed(Event):
    """Somebody asked to see what of a dead letter is sensitive. Written before anything is shown."""

    type: ClassVar[str] = "ekiben.dead-letter.revealed.v1"

    dead_letter: DeadLetterId
    topic: str = Field(description="Where its record was read.")
    group: str = Field(description="Who could not handle it.")
    by: str = Field(description="Who asked.")
    why: str = Field(description="For people.")
    acted_at: Utc
