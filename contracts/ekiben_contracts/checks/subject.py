"""What is checked: the events and the topics. A parameter, so that a test can check broken ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ekiben_contracts.catalog import EVENTS
from ekiben_contracts.event import Event
from ekiben_contracts.topics import TOPICS, Topic


@dataclass(frozen=True, slots=True)
class Subject:
    """The catalog, the topics, and every event class there is, in the catalog or not."""

    events: tuple[type[Event], ...]
    topics: tuple[Topic, ...]
    defined: tuple[type[Event], ...] = ()

    @property
    def by_type(self) -> dict[str, type[Event]]:
        """The events by their CloudEvents type."""
        return {event.type: event for event in self.events}


def _defined(parent: type[Event] = Event) -> Iterator[type[Event]]:
    for event in parent.__subclasses__():
        if event.__module__.startswith("ekiben_contracts."):
            yield event
        yield from _defined(event)


SUBJECT = Subject(EVENTS, TOPICS, tuple(_defined()))
