"""The contract check of an event that has more than one version, and of a release."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from typing import Any

import pytest

from ekiben_contracts.checked_in import HERE, CheckedIn, read
from ekiben_contracts.checks import SUBJECT, Problem, Subject, find_problems
from ekiben_contracts.checks.release import is_final
from ekiben_contracts.documents import render, schema
from ekiben_contracts.evolution.upcasting import Upcaster
from ekiben_contracts.generation import freeze
from ekiben_contracts.prediction import PredictionOutcomeObserved, PredictionRequested
from ekiben_contracts.topics import PREDICTION_REQUESTS, Topic
from unit.contracts.broken import CHECKED_IN, with_topic
from unit.evolution.second_version import (
    REQUESTS_IN_HOURS,
    RequestedInDetail,
    RequestedInHours,
)

OLD = PredictionRequested.type
NEW = RequestedInHours.type


def subject(*more: Any, topic: Topic = REQUESTS_IN_HOURS) -> Subject:
    carried = with_topic(PREDICTION_REQUESTS, types=topic.types)
    return replace(carried, events=(*SUBJECT.events, *more))


def checked_in() -> CheckedIn:
    """With a schema and an example of the second version."""
    example = {**json.loads(CHECKED_IN.examples[OLD]), "horizon_hours": 24}
    del example["time_horizon"]
    return replace(
        CHECKED_IN,
        schemas={**CHECKED_IN.schemas, NEW: render(schema(RequestedInHours))},
        examples={**CHECKED_IN.examples, NEW: render(example)},
    )


def told(of: Subject, documents: CheckedIn | None = None) -> list[Problem]:
    """What the check finds but for the documents, which nobody generated."""
    problems = find_problems(of, documents or checked_in())
    return [p for p in problems if not p.where.startswith(("asyncapi", "the documentation page", "docs/"))]


def test_two_versions_with_an_upcaster_agree():
    assert told(subject(RequestedInHours)) == []


def test_the_old_version_must_stay_once_it_is_frozen():
    frozen = freeze(SUBJECT, CHECKED_IN, [OLD]).write["frozen.json"]
    gone = subject(RequestedInHours)
    gone = replace(gone, events=tuple(event for event in gone.events if event is not PredictionRequested))

    broke = [problem.broke for problem in told(gone, replace(checked_in(), frozen=frozen))]

    assert f"{OLD} is frozen and no longer in EVENTS" in broke


def test_every_version_but_the_first_needs_an_upcaster(monkeypatch):
    monkeypatch.setattr(RequestedInHours, "upcaster", None)

    (problem,) = [p for p in told(subject(RequestedInHours)) if "upcaster" in p.broke]

    assert problem.broke == f"expected an upcaster from {OLD} in {NEW}, found none"
    assert problem.where == "second_version.py: RequestedInHours"


def test_an_upcaster_leads_from_the_version_before():
    of = subject(RequestedInDetail, topic=replace(REQUESTS_IN_HOURS, types=(RequestedInDetail,)))

    assert f"expected an upcaster from {OLD} in {RequestedInDetail.type}, found one from {NEW}" in [
        problem.broke for problem in told(of)
    ]


def test_the_first_version_has_no_upcaster(monkeypatch):
    monkeypatch.setattr(
        PredictionOutcomeObserved, "upcaster", Upcaster(PredictionRequested, lambda old: RequestedInHours())
    )

    assert any(
        p.broke.startswith("expected no upcaster in ekiben.prediction.outcome-observed.v1, found one from")
        for p in find_problems(SUBJECT, CHECKED_IN)
    )


def test_a_topic_carries_the_newest_version_alone():
    both = replace(REQUESTS_IN_HOURS, types=(PredictionRequested, RequestedInHours))

    (problem,) = [p for p in told(subject(RequestedInHours, topic=both)) if "is newer" in p.broke]

    assert problem.broke == f"carries {OLD}, and {NEW} is newer"


def converting(**wrong: object) -> Upcaster[PredictionRequested, RequestedInHours]:
    right = RequestedInHours.upcaster.convert
    return Upcaster(PredictionRequested, lambda old: right(old).model_copy(update=wrong))


def _breaks(old: PredictionRequested) -> RequestedInHours:
    raise ZeroDivisionError(old.model)


@pytest.mark.parametrize(
    ("upcaster", "broke"),
    [
        (converting(entity_id="another"), "to be kept, found b'another'"),
        (converting(request_id="another"), "to be kept, found 'another'"),
        (converting(horizon_hours=0), "horizon_hours: expected at least 1, found 0"),
        (Upcaster(PredictionRequested, _breaks), "the upcaster raised ZeroDivisionError"),
    ],
)
def test_every_example_of_an_old_version_becomes_a_valid_new_event_of_the_same_identity(
    monkeypatch, upcaster, broke
):
    monkeypatch.setattr(RequestedInHours, "upcaster", upcaster)

    (problem,) = told(subject(RequestedInHours))

    assert problem.broke.startswith(f"examples/{OLD}.json as {NEW}: ")
    assert broke in problem.broke


@pytest.mark.parametrize("version", ["1.0", "0.1.0", "2.3.4.post1", "1.0+local"])
def test_a_final_version_number_asks_for_every_type_to_be_frozen(version: str):
    (problem,) = find_problems(SUBJECT, replace(CHECKED_IN, version=version))

    assert problem.where == "frozen.json"
    assert (
        f"every type frozen in the release {version}, found {len(SUBJECT.events)} that are not: {OLD}, "
        in problem.broke
    )
    assert "python -m ekiben_contracts freeze --all" in problem.fix


def test_a_release_whose_types_are_all_frozen_is_well():
    frozen = freeze(SUBJECT, CHECKED_IN, [event.type for event in SUBJECT.events]).write["frozen.json"]

    assert find_problems(SUBJECT, replace(CHECKED_IN, frozen=frozen, version="1.0.0")) == []


@pytest.mark.parametrize("version", ["0.1.0.dev0", "1.0a1", "1.0b2", "1.0rc1", "1.0.dev3"])
def test_before_a_release_a_type_may_still_change(version: str):
    assert not is_final(version)
    assert find_problems(SUBJECT, replace(CHECKED_IN, version=version)) == []


def test_the_version_is_that_of_the_checkout():
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text("utf-8"))

    assert read().version == project["project"]["version"]
