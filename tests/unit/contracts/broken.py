"""The contracts as they are, and ways to break them."""

import json
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from ekiben_contracts.checked_in import PAGE, read
from ekiben_contracts.checks import SUBJECT, Subject
from ekiben_contracts.documents import schema, without_wording
from ekiben_contracts.event import Event, Identifier, ModelName, Utc
from ekiben_contracts.prediction import PredictionOutcomeObserved
from ekiben_contracts.sensitive import SENSITIVE
from ekiben_contracts.topics import Topic

CHECKED_IN = read(page=PAGE)
OUTCOME = PredictionOutcomeObserved.type
PROMISED = without_wording(schema(PredictionOutcomeObserved))
FROZEN = replace(CHECKED_IN, frozen=json.dumps({OUTCOME: PROMISED}))
STALE_PAGE = (CHECKED_IN.page or "").replace("| 7 days |", "| 8 days |")


class Changed(Event):
    """What really happened, once it is known."""

    type: ClassVar[str] = OUTCOME

    request_id: Identifier
    model: ModelName
    entity_id: Identifier
    label: float | str = Field(json_schema_extra=SENSITIVE)
    observed_at: Utc


class Added(Event):
    """An event that nobody carries yet."""

    type: ClassVar[str] = "ekiben.flight.landed.v1"

    entity_id: Identifier


def with_event(old: type[Event], new: type[Event]) -> Subject:
    """The subject with one event class in the place of another."""
    swap = {old: new}
    return Subject(
        tuple(swap.get(event, event) for event in SUBJECT.events),
        tuple(
            replace(topic, types=tuple(swap.get(event, event) for event in topic.types))
            for topic in SUBJECT.topics
        ),
    )


def with_topic(old: Topic, **changes: object) -> Subject:
    """The subject with one topic changed."""
    changed = replace(old, **changes)
    return replace(SUBJECT, topics=tuple(changed if topic is old else topic for topic in SUBJECT.topics))
