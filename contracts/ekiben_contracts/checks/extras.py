"""Whether unknown fields are ignored everywhere: only so does one more optional field break nobody."""

from __future__ import annotations

from collections.abc import Iterator

from ekiben_contracts.checked_in import CheckedIn
from ekiben_contracts.checks.problem import Problem
from ekiben_contracts.checks.subject import Subject
from ekiben_contracts.documents.schema import definitions
from ekiben_contracts.documents.type_words import as_object


def extra_problems(subject: Subject, _: CheckedIn) -> Iterator[Problem]:
    """Events, and parts of them, that refuse or keep fields that they do not know."""
    for name, definition in definitions(subject.events)[1].items():
        rules = as_object(definition)
        if "properties" in rules and "additionalProperties" in rules:
            yield Problem(
                name,
                "expected unknown fields to be ignored, found a model_config that forbids or keeps them",
                'Leave `extra` as it is, "ignore": a reader of today has to read what a later release adds.',
            )
