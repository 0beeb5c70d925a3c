"""Each thing that can break between code, documents and promises is found, placed, and told how to mend."""

from dataclasses import replace
from typing import Annotated

import pytest
from pydantic import Field

from ekiben_contracts.checked_in import CheckedIn
from ekiben_contracts.checks import SUBJECT, Problem, find_problems
from ekiben_contracts.documents import render, schema
from ekiben_contracts.event import Identifier
from ekiben_contracts.evolution.comparing import changes
from ekiben_contracts.prediction import PredictionOutcomeObserved, PredictionRequested
from ekiben_contracts.topics import PREDICTION_OUTCOMES, PREDICTION_REQUESTS, ROUTES
from unit.contracts.broken import (
    CHECKED_IN,
    FROZEN,
    OUTCOME,
    STALE_PAGE,
    Added,
    Changed,
    with_event,
    with_topic,
)


def only(problems: list[Problem], where: str, broke: str) -> Problem:
    """The one problem of a place that says this."""
    (found,) = [problem for problem in problems if problem.where.startswith(where) and broke in problem.broke]
    assert found.fix
    return found


def test_what_is_checked_in_agrees():
    assert CHECKED_IN.page is not None
    assert find_problems(SUBJECT, CHECKED_IN) == []


def test_a_frozen_version_that_did_not_change_is_no_problem():
    assert find_problems(SUBJECT, FROZEN) == []


def test_a_frozen_version_must_not_change():
    problems = find_problems(with_event(PredictionOutcomeObserved, Changed), FROZEN)

    problem = only(problems, "broken.py: Changed", "is frozen")
    assert problem.broke.endswith(
        "is frozen and would accept something else"
        "\n      outcome: was required, is renamed to label (breaks readers and writers)"
    )
    assert "ekiben.prediction.outcome-observed.v2, with an upcaster from this one" in problem.fix
    assert not any("generate" in each.fix for each in problems), "it would be refused"


def test_a_frozen_version_must_not_change_even_together_with_its_schema():
    schemas = {**CHECKED_IN.schemas, OUTCOME: render(schema(Changed))}

    problems = find_problems(with_event(PredictionOutcomeObserved, Changed), replace(FROZEN, schemas=schemas))

    for where, broke in (
        ("broken.py: Changed", "is frozen and would accept something else"),
        (f"schemas/{OUTCOME}.json", "is frozen and its schema was edited"),
    ):
        assert "outcome: was required, is renamed to label" in only(problems, where, broke).broke


def test_the_schema_of_a_frozen_version_must_not_be_edited():
    edited = CHECKED_IN.schemas[OUTCOME].replace('"maxLength": 256', '"maxLength": 512')

    problems = find_problems(SUBJECT, replace(FROZEN, schemas={**CHECKED_IN.schemas, OUTCOME: edited}))

    problem = only(problems, f"schemas/{OUTCOME}.json", "is frozen and its schema was edited")
    assert "request_id: maxLength: was 256, is 512 (breaks readers)" in problem.broke


def test_a_frozen_version_must_stay_readable():
    gone = replace(SUBJECT, events=tuple(e for e in SUBJECT.events if e is not PredictionOutcomeObserved))

    only(find_problems(gone, FROZEN), "frozen.json", f"{OUTCOME} is frozen and no longer in EVENTS")


@pytest.mark.parametrize("text", [None, "", "[]", '{"a": 1}', "no JSON"])
def test_the_list_of_frozen_versions_must_be_there_and_whole(text: str | None):
    only(find_problems(SUBJECT, replace(CHECKED_IN, frozen=text)), "frozen.json", "expected")


def test_what_is_sensitive_in_a_frozen_version_stays_so():
    class Shown(PredictionOutcomeObserved):
        outcome: float | str = Field(description="A number, or the label of a class.")

    problems = find_problems(with_event(PredictionOutcomeObserved, Shown), FROZEN)

    broke = only(problems, "test_checks.py: Shown", "is frozen").broke
    assert broke.endswith("outcome: x-sensitive: was true, is none (breaks readers and writers)")


@pytest.mark.parametrize("extra", ["forbid", "allow"])
def test_no_event_refuses_or_keeps_fields_that_it_does_not_know(extra: str):
    strict = type("Strict", (PredictionOutcomeObserved,), {"model_config": {"extra": extra}})

    only(find_problems(with_event(PredictionOutcomeObserved, strict), CHECKED_IN), "Strict", "to be ignored")


def test_better_wording_does_not_change_a_frozen_version():
    class Reworded(PredictionOutcomeObserved):
        """What came true in the end."""

        request_id: Annotated[Identifier, Field(title="Request", description="The id of the request.")]

    assert changes(schema(PredictionOutcomeObserved), schema(Reworded)) == ()


def test_a_field_called_title_or_description_counts():
    class Titled(PredictionOutcomeObserved):
        title: str
        description: str

    found = changes(schema(PredictionOutcomeObserved), schema(Titled))

    assert [change.path for change in found] == ["title", "description"]


def test_a_changed_version_that_is_not_frozen_asks_for_new_documents():
    problems = find_problems(with_event(PredictionOutcomeObserved, Changed), CHECKED_IN)

    problem = only(problems, f"schemas/{OUTCOME}.json", "properties.outcome is gone")
    assert "python -m ekiben_contracts generate" in problem.fix
    only(problems, "asyncapi.json", "is stale")
    only(problems, f"examples/{OUTCOME}.json", "label: expected a value, found nothing")


def test_a_new_type_needs_topic_schema_and_example():
    problems = find_problems(replace(SUBJECT, events=(*SUBJECT.events, Added)), CHECKED_IN)

    only(problems, f"topics.py: {Added.type}", "expected one topic that carries it, found none")
    only(problems, f"schemas/{Added.type}.json", "found no file")
    only(problems, f"examples/{Added.type}.json", "found no file")


def test_an_event_that_is_forgotten_in_the_catalog_is_found():
    problems = find_problems(replace(SUBJECT, defined=(*SUBJECT.defined, Added)), CHECKED_IN)

    only(problems, "catalog.py", "expected Added of")


def test_every_event_class_is_seen():
    assert set(SUBJECT.defined) == set(SUBJECT.events)


@pytest.mark.parametrize("name", ["flight.landed", "ekiben.flight.landed", "ekiben.Flight.landed.v1"])
def test_a_type_must_end_in_its_version(name: str):
    misnamed = type("Misnamed", (Added,), {"type": name, "__doc__": "Misnamed."})

    problems = find_problems(replace(SUBJECT, events=(*SUBJECT.events, misnamed)), CHECKED_IN)

    only(problems, "catalog.py", f"as the type of Misnamed, found {name}")


def test_two_events_must_not_share_a_type():
    problems = find_problems(replace(SUBJECT, events=(*SUBJECT.events, Changed)), CHECKED_IN)

    only(problems, "catalog.py", f"expected one event of type {OUTCOME}, found 2")


def test_a_type_must_not_be_carried_twice():
    problems = find_problems(
        with_topic(PREDICTION_OUTCOMES, types=(PredictionOutcomeObserved, PredictionRequested)), CHECKED_IN
    )

    only(
        problems,
        f"topics.py: {PredictionRequested.type}",
        "found ekiben.prediction-requests and ekiben.prediction-outcomes",
    )


def test_a_topic_must_not_carry_what_is_in_no_catalog():
    problems = find_problems(with_topic(PREDICTION_OUTCOMES, types=(Added,)), CHECKED_IN)

    only(problems, "topics.py: ekiben.prediction-outcomes", "carries ekiben.flight.landed.v1")


@pytest.mark.parametrize(
    ("changes", "broke"),
    [
        (
            {"key": "flight_id"},
            "its key 'flight_id' is no field or property of ekiben.prediction.requested.v1",
        ),
        ({"key": "to_json"}, "its key 'to_json' is no field or property"),
        ({"types": ()}, "expected at least one type, found none"),
        ({"writers": ()}, "expected writers, found none"),
        ({"readers": ()}, "expected readers, found none"),
        ({"writers": ("usres",)}, "'usres' among its writers is unknown"),
        ({"retried_by": ("synthesizer",)}, "'synthesizer' retries what it does not read"),
        ({"readers": ("inference_gateway",)}, "'inference_gateway' among its readers is unknown"),
    ],
)
def test_a_topic_must_keep_the_promises_of_its_table(changes: dict[str, object], broke: str):
    problems = find_problems(with_topic(PREDICTION_REQUESTS, **changes), CHECKED_IN)

    only(problems, "topics.py: ekiben.prediction-requests", broke)


def test_the_routes_are_keyed_by_a_property():
    problems = find_problems(with_topic(ROUTES, key="model"), CHECKED_IN)

    only(
        problems,
        "topics.py: ekiben.routes",
        "its key 'model' is no field or property of ekiben.ensemble.defined",
    )


@pytest.mark.parametrize("name", ["ekiben_routes", "Ekiben.routes", "ekiben routes", "x" * 151])
def test_a_topic_must_have_a_name_that_kafka_and_its_metrics_take(name: str):
    problems = find_problems(with_topic(ROUTES, name=name), CHECKED_IN)

    only(problems, f"topics.py: {name}", "expected lower-case words")


def test_two_topics_must_not_share_a_name():
    problems = find_problems(with_topic(ROUTES, name="ekiben.prediction-requests"), CHECKED_IN)

    only(problems, "topics.py: ekiben.prediction-requests", "expected one topic of this name, found 2")


def test_an_example_of_no_type_is_found():
    orphan = replace(CHECKED_IN, examples={**CHECKED_IN.examples, "ekiben.flight.landed.v1": "{}"})

    only(find_problems(SUBJECT, orphan), "examples/ekiben.flight.landed.v1.json", "of no type")


def test_a_schema_of_no_type_is_found():
    orphan = replace(CHECKED_IN, schemas={**CHECKED_IN.schemas, "ekiben.flight.landed.v1": "{}"})

    only(find_problems(SUBJECT, orphan), "schemas/ekiben.flight.landed.v1.json", "of no type")


@pytest.mark.parametrize(
    ("old", "new", "broke"),
    [
        ('"outcome": 0.0', '"outcome": NaN', "no JSON"),
        ('"outcome": 0.0', '"outcome": [0.0]', "outcome: expected a finite number or a label"),
        ('"outcome": 0.0', '"outcome": 0', "reading and writing it changes it: outcome was 0, is 0.0"),
        ('"attempt": 1,', "", "attempt is new"),
        ('"attempt": 1,', '"attempt": 1, "gate": "C71",', "gate is gone"),
        ("{", "", "no JSON"),
    ],
)
def test_an_example_must_come_out_as_it_went_in(old: str, new: str, broke: str):
    text = CHECKED_IN.examples[OUTCOME]
    assert old in text
    broken = replace(CHECKED_IN, examples={**CHECKED_IN.examples, OUTCOME: text.replace(old, new, 1)})

    only(find_problems(SUBJECT, broken), f"examples/{OUTCOME}.json", broke)


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        (replace(CHECKED_IN, asyncapi=None), "asyncapi.json"),
        (replace(CHECKED_IN, asyncapi="{}"), "asyncapi.json"),
        (replace(CHECKED_IN, asyncapi="{"), "asyncapi.json"),
        (replace(CHECKED_IN, schemas={**CHECKED_IN.schemas, OUTCOME: "{"}), f"schemas/{OUTCOME}.json"),
        (replace(CHECKED_IN, page="# Nothing"), "the documentation page"),
        (replace(CHECKED_IN, page=STALE_PAGE), "the documentation page"),
    ],
)
def test_a_derived_document_must_be_that_of_today(changed: CheckedIn, where: str):
    only(find_problems(SUBJECT, changed), where, "")


def test_a_page_is_checked_only_where_there_is_one():
    assert find_problems(SUBJECT, replace(CHECKED_IN, page=None)) == []
