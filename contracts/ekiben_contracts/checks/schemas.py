"""Whether the checked-in JSON Schemas say what the models accept."""

from __future__ import annotations

from collections.abc import Iterator

from ekiben_contracts.checked_in import SCHEMAS, CheckedIn
from ekiben_contracts.checks.problem import Problem, differences
from ekiben_contracts.checks.subject import Subject
from ekiben_contracts.documents import parse, render, schema

GENERATE = "Run `python -m ekiben_contracts generate` and commit what it wrote."


def schema_problems(subject: Subject, checked_in: CheckedIn) -> Iterator[Problem]:
    """Schemas that are missing, stale, or of no type."""
    for event_type, event in subject.by_type.items():
        yield from _compare(event_type, render(schema(event)), checked_in.schemas.get(event_type))
    for orphan in checked_in.schemas.keys() - subject.by_type.keys():
        yield Problem(f"{SCHEMAS}/{orphan}.json", "a schema of no type in EVENTS", GENERATE)


def _compare(event_type: str, expected: str, standing: str | None) -> Iterator[Problem]:
    where = f"{SCHEMAS}/{event_type}.json"
    if standing is None:
        yield Problem(where, "expected a schema, found no file", GENERATE)
    elif standing != expected:
        yield Problem(where, f"is not what the model says: {told(standing, expected)}", GENERATE)


def told(standing: str, expected: str) -> str:
    """Where a checked-in document differs from what it should be."""
    try:
        return differences(parse(standing), parse(expected)) or "the same in another layout"
    except ValueError as error:
        return f"no JSON: {error}"
