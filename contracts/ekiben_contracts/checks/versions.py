"""Whether every older version of an event still becomes the newest, and its topic carries that one."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from ekiben_contracts.checked_in import EXAMPLES, CheckedIn
from ekiben_contracts.checks.problem import Problem
from ekiben_contracts.checks.subject import Subject
from ekiben_contracts.event import Event
from ekiben_contracts.evolution.names import number_of, stem_of
from ekiben_contracts.evolution.upcasting import upcast
from ekiben_contracts.topics import Topic
from ekiben_contracts.wording import describe

_ATTEMPT = 3
_DECLARE = "Declare `upcaster: ClassVar = Upcaster(OLD, a_pure_function)` in the newer class."
_MEND = "Mend the upcaster: what is kept of the old version is read through it."


def version_problems(subject: Subject, checked_in: CheckedIn) -> Iterator[Problem]:
    """Versions without an upcaster, upcasters that lose something, topics that carry a version too old."""
    for versions in _by_stem(subject).values():
        yield from _chain(versions)
        yield from _carried(versions, subject)
        if not any(_chain(versions)):
            yield from _examples(versions, subject, checked_in)


def _by_stem(subject: Subject) -> dict[str, list[type[Event]]]:
    """The versions of each event, the oldest first."""
    found: dict[str, list[type[Event]]] = {}
    for event in subject.by_type.values():
        found.setdefault(stem_of(event.type), []).append(event)
    for versions in found.values():
        versions.sort(key=lambda event: number_of(event.type) or 0)
    return found


def _chain(versions: list[type[Event]]) -> Iterator[Problem]:
    for old, new in zip((None, *versions), versions, strict=False):
        declared = None if new.upcaster is None else new.upcaster.old
        if declared is not old:
            expected = "no upcaster" if old is None else f"an upcaster from {old.type}"
            found = "none" if declared is None else f"one from {declared.type}"
            mend = "Take it out: nothing came before." if old is None else _DECLARE
            yield Problem(_where(new), f"expected {expected} in {new.type}, found {found}", mend)


def _carried(versions: list[type[Event]], subject: Subject) -> Iterator[Problem]:
    for topic in subject.topics:
        for old in versions[:-1]:
            if old in topic.types:
                yield Problem(
                    f"topics.py: {topic.name}",
                    f"carries {old.type}, and {versions[-1].type} is newer",
                    f"Carry {versions[-1].__name__} alone: what is older is read by way of its upcaster.",
                )


def _examples(versions: list[type[Event]], subject: Subject, checked_in: CheckedIn) -> Iterator[Problem]:
    newest = versions[-1]
    topic = next((topic for topic in subject.topics if newest in topic.types), None)
    for old in versions[:-1]:
        text = checked_in.examples.get(old.type)
        if text is None:
            continue  # example_problems tells of it
        try:
            before = old.model_validate_json(text, strict=True)
        except ValidationError:
            continue  # and of this
        for broke in _broken(before.model_copy(update={"attempt": _ATTEMPT}), newest, topic):
            yield Problem(_where(newest), f"{EXAMPLES}/{old.type}.json as {newest.type}: {broke}", _MEND)


def _broken(before: Event, newest: type[Event], topic: Topic | None) -> Iterator[str]:
    try:
        after = newest.model_validate_json(upcast(before, newest).to_json(), strict=True)
    except ValidationError as error:
        yield describe(error)
        return
    except Exception as error:  # noqa: BLE001 - whatever an upcaster raises, that is the finding
        yield f"the upcaster raised {type(error).__name__}: {error}"
        return
    if topic is not None and topic.key_of(before) != topic.key_of(after):
        yield f"expected the key {topic.key_of(before)!r} to be kept, found {topic.key_of(after)!r}"
    for name in sorted({"attempt", "request_id"} & before.model_fields_set & newest.model_fields.keys()):
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            yield f"expected {name} {was!r} to be kept, found {now!r}"


def _where(event: type[Event]) -> str:
    return f"{event.__module__.rpartition('.')[2]}.py: {event.__name__}"
