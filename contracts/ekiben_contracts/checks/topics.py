"""Whether the topics carry every type once, under a key that its events have, between known services."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ekiben_contracts.checked_in import CheckedIn
from ekiben_contracts.checks.problem import Problem
from ekiben_contracts.checks.subject import Subject
from ekiben_contracts.event import Event
from ekiben_contracts.topics import PEOPLE, SERVICES, Topic

_NAME = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
_LONGEST_NAME = 150
"""Kafka allows 249 characters: this leaves room for a prefix and for T.G.retry-10m."""


def topic_problems(subject: Subject, _: CheckedIn) -> Iterator[Problem]:
    """Topics that break a promise of their table, and types that no topic or two topics carry."""
    for name, times in Counter(topic.name for topic in subject.topics).items():
        if times > 1:
            yield Problem(
                f"topics.py: {name}",
                f"expected one topic of this name, found {times}",
                "Rename or merge them.",
            )
    for topic in subject.topics:
        yield from _of_topic(topic, subject)
    for event in subject.events:
        yield from _of_type(event, subject)


def _of_topic(topic: Topic, subject: Subject) -> Iterator[Problem]:
    where = f"topics.py: {topic.name}"
    if not _NAME.fullmatch(topic.name) or len(topic.name) > _LONGEST_NAME:
        yield Problem(
            where,
            f"expected lower-case words joined by . and -, at most {_LONGEST_NAME} characters",
            "Rename the topic: Kafka counts . and _ as one in its metrics.",
        )
    if not topic.types:
        yield Problem(where, "expected at least one type, found none", "Name what it carries, or delete it.")
    for event in topic.types:
        if event not in subject.events:
            yield Problem(where, f"carries {event.type}, which is not in EVENTS", "Add it to catalog.py.")
        if not _has(event, topic.key):
            fields = ", ".join(event.model_fields)
            yield Problem(
                where,
                f"its key {topic.key!r} is no field or property of {event.type}, which has {fields}",
                "Name a key that every type of the topic has, or add a property of that name.",
            )
    for group in topic.retried_by:
        if group not in topic.readers:
            yield Problem(
                where, f"{group!r} retries what it does not read", "Add it to readers, or take it out."
            )
    for role, parties in (("writers", topic.writers), ("readers", topic.readers)):
        if not parties:
            yield Problem(
                where, f"expected {role}, found none", "Name who they are: a topic joins two sides."
            )
        yield from _of_parties(where, role, parties)
    yield from _of_parties(where, "tabled_by", topic.tabled_by)


def _of_parties(where: str, role: str, parties: tuple[str, ...]) -> Iterator[Problem]:
    for party in parties:
        if party not in (*SERVICES, *PEOPLE):
            known = ", ".join((*SERVICES, *PEOPLE))
            yield Problem(
                where,
                f"{party!r} among its {role} is unknown; known are {known}",
                "Mend the name, or add to SERVICES.",
            )


def _of_type(event: type[Event], subject: Subject) -> Iterator[Problem]:
    carriers = [t.name for t in subject.topics if event in t.types or event.type in t.older]
    if len(carriers) != 1:
        yield Problem(
            f"topics.py: {event.type}",
            f"expected one topic that carries it, found {' and '.join(carriers) or 'none'}",
            "A type belongs to exactly one topic: put it there, or take it out of catalog.py.",
        )


def _has(event: type[Event], key: str) -> bool:
    return key in event.model_fields or isinstance(getattr(event, key, None), property)
