"""Whether the documents that derive from catalog and topics are those of today."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from pydantic import JsonValue

from ekiben_contracts.checked_in import ASYNCAPI, CheckedIn
from ekiben_contracts.checks.problem import Problem
from ekiben_contracts.checks.schemas import GENERATE, told
from ekiben_contracts.checks.subject import Subject
from ekiben_contracts.documents import NOWHERE, Servers, asyncapi, parse, render, table, table_of

_PAGE = "the documentation page"


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
