"""The page of every event tells what the code accepts, and leads nobody astray."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekiben_contracts.catalog import EVENTS
from ekiben_contracts.checked_in import PAGE, REFERENCE
from ekiben_contracts.checks import SUBJECT, find_problems
from ekiben_contracts.documents import parse, reference
from ekiben_contracts.documents.rendering import render_narrow
from ekiben_contracts.documents.type_words import TypeWords
from ekiben_contracts.generation import generate
from ekiben_contracts.topics import TOPICS
from unit.contracts.broken import CHECKED_IN, Added, with_topic
from unit.evolution.second_version import RequestedInHours

STANDING = CHECKED_IN.reference or ""
SECTIONS = dict(zip(*[iter(re.split(r"^#{2,3} (.+)\n", STANDING, flags=re.MULTILINE)[1:])] * 2, strict=True))
ANCHORS = {heading.lower().replace(".", "").replace(" ", "-") for heading in SECTIONS}
WORDS = TypeWords({"Quorum": {"properties": {}}, "Step": {"enum": ["planned", "failed"], "type": "string"}})


def row(event: str, field: str) -> str:
    (found,) = [line for line in SECTIONS[event].splitlines() if line.startswith(f"| `{field}` |")]
    return found


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_an_event_has_its_purpose_every_field_and_its_example(event: Any):
    section = SECTIONS[event.type]

    assert section.startswith((event.__doc__ or "?").partition("\n")[0])
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == {*event.model_fields}
    (example,) = re.findall(r"```json\n(.+?)\n```", section, re.DOTALL)
    assert parse(example) == parse(CHECKED_IN.examples[event.type])


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_tells_who_writes_and_reads_it(topic: Any):
    assert SECTIONS[topic.name].startswith(
        f"Written by {', '.join(topic.writers)}; read by {', '.join(topic.read_by)}. Keyed by "
    )


def test_every_link_leads_somewhere():
    links = set(re.findall(r"\]\(([^)]+)\)", STANDING))

    assert {link.removeprefix("#") for link in links if link.startswith("#")} <= ANCHORS
    assert PAGE
    assert all(PAGE.with_name(link).is_file() for link in links if not link.startswith("#"))
    assert len(links) > len(EVENTS) + len(TOPICS)


def test_a_field_tells_its_type_its_default_and_what_it_holds():
    assert row("ekiben.prediction.requested.v1", "time_horizon") == (
        '| `time_horizon` | text | `"short_term"` '
        "| Which of a model's horizons is meant; a signature may have it as a column. |"
    )
    assert row("ekiben.prediction.requested.v1", "model") == (
        "| `model` | [model name](#model-name) | required | |"
    )


def test_a_sensitive_field_says_so():
    assert row("ekiben.prediction.outcome-observed.v1", "outcome").endswith(" *Sensitive.* |")
    assert row("ekiben.prediction.requested.v1", "features").endswith(" *Sensitive, by feature.* |")


def test_an_older_version_says_what_it_is_read_as():
    subject = with_topic(TOPICS[0], types=(RequestedInHours,))

    page = reference(subject.topics, {})

    assert "An older version: it is read as [ekiben.prediction.requested.v2](#" in page
    assert page.index("### ekiben.prediction.requested.v2") < page.index("### ekiben.prediction.requested.v1")


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 9}, "whole number (1 to 9)"),
        (
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            "number (more than 0, less than 1)",
        ),
        ({"type": "string", "maxLength": 9, "pattern": "^a"}, "text (at most 9 characters, matching `^a`)"),
        (
            {"type": "array", "items": {"type": "boolean"}, "minItems": 1},
            "list of true or false (at least 1 items)",
        ),
        ({"anyOf": [{"$ref": "Quorum"}, {"const": "all"}]}, '[Quorum](#quorum) or `"all"`'),
        ({"$ref": "Step"}, '`"planned"` or `"failed"`'),
        ({"type": "object", "additionalProperties": {}}, "object of any JSON"),
        (
            {"type": "object", "patternProperties": {"^0": {"type": "null"}}},
            "object of null by text (matching `^0`)",
        ),
        ({"type": "string", "format": "date-time", "title": "At"}, "[time](#time)"),
    ],
)
def test_a_schema_in_words(rules: dict[str, Any], words: str):
    assert WORDS.of(rules) == words


BY_PATTERN = {"patternProperties": {"^a": {"type": "integer"}, "^b": {"type": "null"}}, "type": "object"}
BOTH = "object of whole number by text (matching `^a`) and null by text (matching `^b`)"


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (BY_PATTERN, BOTH),
        ({"patternProperties": {}, "type": "object"}, "object"),
        ({"type": ["string", "null"]}, "text or null"),
        ({"oneOf": [{"type": "integer"}, {"const": "a"}]}, 'whole number or `"a"`'),
        ({"allOf": [{"$ref": "Quorum"}, {"type": "object"}]}, "[Quorum](#quorum) and object"),
    ],
)
def test_what_may_be_one_of_several_or_has_to_be_all_is_told_in_full(rules: Any, words: str):
    assert WORDS.of(rules) == words


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=30), inner, max_size=5),
)


@given(json_values)
def test_a_document_laid_out_for_a_page_says_the_same(document: Any):
    assert parse(render_narrow(document)) == document


def test_a_stale_page_is_found_and_written_anew():
    stale = replace(CHECKED_IN, reference=STANDING.replace("required", "optional"))

    (problem,) = find_problems(SUBJECT, stale)

    assert problem.where == f"docs/{REFERENCE}"
    line = 1 + STANDING[: STANDING.index("required")].count("\n")
    assert problem.broke == f"is stale from line {line} on"
    assert generate(SUBJECT, stale).reference == STANDING


def test_a_missing_page_is_found():
    (problem,) = find_problems(SUBJECT, replace(CHECKED_IN, reference=""))

    assert (problem.where, problem.broke) == (
        f"docs/{REFERENCE}",
        "expected the page of every event, found none",
    )


class Undescribed(Added):
    """An event with a field of which nobody knows what it holds."""

    altitude: float


def test_a_field_that_nobody_described_is_found():
    subject = replace(SUBJECT, events=(*SUBJECT.events, Undescribed))

    places = [
        problem.where for problem in find_problems(subject, CHECKED_IN) if "description" in problem.broke
    ]

    assert places == ["Undescribed.altitude"]
