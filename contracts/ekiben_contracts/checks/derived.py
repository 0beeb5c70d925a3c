"""Whether the documents that derive from catalog and topics are those of today."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import zip_longest

from pydantic import JsonValue

from ekiben_contracts.checked_in import ASYNCAPI, REFERENCE, CheckedIn
from ekiben_contracts.checks.problem import Problem
from ekiben_contracts.checks.schemas import GENERATE, told
from ekiben_contracts.checks.subject import Subject
from ekiben_contracts.documents import (
    NOWHERE,
    Servers,
    asyncapi,
    parse,
    reference,
    render,
    table,
    table_of,
)

_PAGE = "the documentation page"
_REFERENCE = f"docs/{REFERENCE}"


def asyncapi_problems(subject: Subject, checked_in: CheckedIn) -> Iterator[Problem]:
    """An AsyncAPI document that is missing or stale."""
    if checked_in.asyncapi is None:
        yield Problem(ASYNCAPI, "expected the AsyncAPI document, found no file", GENERATE)
        return
    expected = render(asyncapi_of(subject, checked_in))
    if checked_in.asyncapi != expected:
        yield Problem(ASYNCAPI, f"is stale: {told(checked_in.asyncapi, expected)}", GENERATE)


def asyncapi_of(
    subject: Subject, checked_in: CheckedIn, servers: Servers = NOWHERE, prefix: str = ""
) -> JsonValue:
    """The AsyncAPI document with the checked-in examples."""
    return asyncapi(subject.events, subject.topics, examples_of(checked_in), servers, prefix)


def examples_of(checked_in: CheckedIn) -> dict[str, JsonValue]:
    """The checked-in examples by type; one that is no JSON is left out."""
    examples: dict[str, JsonValue] = {}
    for event_type, text in checked_in.examples.items():
        with suppress(ValueError):  # example_problems tells of it
            examples[event_type] = parse(text)
    return examples


def page_problems(subject: Subject, checked_in: CheckedIn) -> Iterator[Problem]:
    """A documentation page, where one was given, whose table of topics is missing or stale."""
    if checked_in.page is None:
        return
    standing = table_of(checked_in.page)
    if standing is None:
        yield Problem(_PAGE, "expected the marks of the table of topics, found none", "Put them back.")
    elif standing != table(subject.topics):
        yield Problem(_PAGE, "its table of topics is not that of topics.py", GENERATE)


def reference_problems(subject: Subject, checked_in: CheckedIn) -> Iterator[Problem]:
    """A page of every event, beside the documentation page, that is missing or stale."""
    if checked_in.reference is None:
        return
    expected = reference_of(subject, checked_in).splitlines()
    standing = checked_in.reference.splitlines()
    if not standing:
        yield Problem(_REFERENCE, "expected the page of every event, found none", GENERATE)
    elif standing != expected:
        line = next(n for n, (old, new) in enumerate(zip_longest(standing, expected), 1) if old != new)
        yield Problem(_REFERENCE, f"is stale from line {line} on", GENERATE)


def reference_of(subject: Subject, checked_in: CheckedIn) -> str:
    """The page of every event with the checked-in examples."""
    return reference(subject.topics, examples_of(checked_in))
