"""Whether every field says what it is: by a description, or by being of a kind or a part that says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from ekiben_contracts.checked_in import CheckedIn
from ekiben_contracts.checks.problem import Problem
from ekiben_contracts.checks.subject import Subject
from ekiben_contracts.documents.kinds import kind_of
from ekiben_contracts.documents.schema import definitions
from ekiben_contracts.documents.type_words import as_object

_WORDING = ("title", "default")


def description_problems(subject: Subject, _: CheckedIn) -> Iterator[Problem]:
    """Fields of which neither the name of their kind nor any text says what they hold."""
    for name, definition in definitions(subject.events)[1].items():
        for field, rules in as_object(as_object(definition).get("properties")).items():
            if not _says_what_it_is(as_object(rules)):
                yield Problem(
                    f"{name}.{field}",
                    "expected a description, found none",
                    'Say in one line what it holds, by Field(description="…").',
                )


def _says_what_it_is(rules: Mapping[str, JsonValue]) -> bool:
    if "description" in rules:
        return True
    bare = {keyword: value for keyword, value in rules.items() if keyword not in _WORDING}
    choices = bare.get("anyOf")
    if isinstance(choices, list):
        named = [each for each in choices if each != {"type": "null"}]
        return len(named) == 1 and _says_what_it_is(as_object(named[0]))
    return kind_of(bare) is not None
