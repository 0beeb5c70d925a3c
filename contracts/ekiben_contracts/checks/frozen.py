"""Whether a version that users rely on still accepts exactly what it did when it was frozen.

A version is frozen by `python -m ekiben_contracts freeze TYPE`, at the latest when a release carries it:
frozen.json then holds the fingerprint of what its schema accepts. From there on the type lives as long
as records of it may be kept, and a change of it is a new version.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import TypeAdapter, ValidationError

from ekiben_contracts.checked_in import FROZEN, SCHEMAS, CheckedIn
from ekiben_contracts.checks.problem import Problem, differences
from ekiben_contracts.checks.subject import Subject
from ekiben_contracts.documents import fingerprint, parse, schema, without_wording
from ekiben_contracts.event import Event

_VERSIONS = TypeAdapter(dict[str, str])
_RESTORE = "Restore the file from version control; freezing is never undone by hand."


def frozen_problems(subject: Subject, checked_in: CheckedIn) -> Iterator[Problem]:
    """Frozen versions whose model or checked-in schema changed, or that are gone."""
    try:
        frozen = frozen_versions(checked_in.frozen)
    except ValueError as error:
        yield Problem(FROZEN, str(error), _RESTORE)
        return
    for event_type, promised in frozen.items():
        event = subject.by_type.get(event_type)
        standing = checked_in.schemas.get(event_type)
        if event is None:
            yield Problem(
                FROZEN,
                f"{event_type} is frozen and no longer in EVENTS",
                "Bring its class back: records of it may still be kept, and somebody has to read them.",
            )
        elif fingerprint(schema(event)) != promised:
            changed = _what_changed(standing, event)
            yield Problem(
                f"{event.__module__.rpartition('.')[2]}.py: {event.__name__}",
                f"{event_type} is frozen and would accept something else{changed}",
                f"Undo the change, and make it in a new type, {_next_version(event_type)}.",
            )
        if standing is not None and _fingerprint_of(standing) != promised:
            yield Problem(
                f"{SCHEMAS}/{event_type}.json", f"{event_type} is frozen and its schema was edited", _RESTORE
            )


def frozen_versions(text: str | None) -> dict[str, str]:
    """The fingerprint of each frozen version, by type.

    Raises:
        ValueError: the list is missing or no JSON object of texts.
    """
    if text is None:
        raise ValueError("expected the list of the frozen versions, found no file")
    try:
        return _VERSIONS.validate_json(text, strict=True)
    except ValidationError as error:
        raise ValueError("expected a JSON object of fingerprints by type, found something else") from error


def _fingerprint_of(text: str) -> str | None:
    try:
        return fingerprint(parse(text))
    except ValueError:
        return None


def _what_changed(standing: str | None, event: type[Event]) -> str:
    try:
        promised = parse(standing or "{}")
    except ValueError:
        return ""
    told = differences(without_wording(promised), without_wording(schema(event))) if standing else ""
    return f": {told}" if told else ""


def _next_version(event_type: str) -> str:
    stem, _, number = event_type.rpartition(".v")
    return f"{stem}.v{int(number) + 1}"
