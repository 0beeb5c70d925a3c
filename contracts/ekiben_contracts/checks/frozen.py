"""Whether a version that users rely on still accepts exactly what it did when it was frozen.

A version is frozen by `python -m ekiben_contracts freeze TYPE`, at the latest when a release carries it:
frozen.json then holds what its schema accepts. From there on the type lives as long as records of it may be
kept, and a change of it is a new version. Nothing but the files themselves is compared: no history is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from pydantic import JsonValue, TypeAdapter, ValidationError

from ekiben_contracts.checked_in import FROZEN, SCHEMAS, CheckedIn
from ekiben_contracts.checks.problem import Problem
from ekiben_contracts.checks.subject import Subject
from ekiben_contracts.documents import parse, schema
from ekiben_contracts.evolution.changes import Change
from ekiben_contracts.evolution.comparing import changes
from ekiben_contracts.evolution.names import next_version

_VERSIONS = TypeAdapter(dict[str, dict[str, JsonValue]])
_RESTORE = "Restore the file from version control; freezing is never undone by hand."
_MOST_CHANGES = 12


def frozen_problems(subject: Subject, checked_in: CheckedIn) -> Iterator[Problem]:
    """Frozen versions whose model or checked-in schema changed, or that are gone."""
    try:
        frozen = frozen_versions(checked_in.frozen)
    except ValueError as error:
        yield Problem(FROZEN, str(error), _RESTORE)
        return
    for event_type, promised in frozen.items():
        event = subject.by_type.get(event_type)
        if event is None:
            yield Problem(
                FROZEN,
                f"{event_type} is frozen and no longer in EVENTS",
                "Bring its class back: records of it may still be kept, and somebody has to read them.",
            )
        elif broken := changes(promised, schema(event)):
            where = f"{event.__module__.rpartition('.')[2]}.py: {event.__name__}"
            yield Problem(
                where,
                f"{event_type} is frozen and would accept something else{told(broken)}",
                _mend(event_type),
            )
        standing = checked_in.schemas.get(event_type)
        if standing is not None and (edited := _changes_of(promised, standing)) is not None:
            yield Problem(
                f"{SCHEMAS}/{event_type}.json",
                f"{event_type} is frozen and its schema was edited{edited}",
                _RESTORE,
            )


def frozen_versions(text: str | None) -> Mapping[str, JsonValue]:
    """What the schema of each frozen version accepts, by type.

    Raises:
        ValueError: the list is missing or no JSON object of schemas.
    """
    if text is None:
        raise ValueError("expected the list of the frozen versions, found no file")
    try:
        return dict[str, JsonValue](_VERSIONS.validate_json(text, strict=True))
    except ValidationError as error:
        raise ValueError("expected a JSON object of schemas by type, found something else") from error


def told(broken: tuple[Change, ...]) -> str:
    """One line for each change: where, what it was, what it is, whom it breaks."""
    more = [f"and {len(broken) - _MOST_CHANGES} more"] if len(broken) > _MOST_CHANGES else []
    lines = [*map(str, islice(broken, _MOST_CHANGES)), *more]
    return "".join(f"\n      {line}" for line in lines)


def _changes_of(promised: JsonValue, standing: str) -> str | None:
    try:
        edited = changes(promised, parse(standing))
    except ValueError as error:
        return f": no JSON: {error}"
    return told(edited) if edited else None


def _mend(event_type: str) -> str:
    later = next_version(event_type)
    return (
        f"Undo it, whomever it breaks: {event_type} means one thing for ever. Make the change in a new type, "
        f'{later}, with an upcaster from this one: docs/contracts.md, "Changing an event".'
    )
