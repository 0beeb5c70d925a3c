"""What `generate` and `freeze` would write, and when they write nothing."""

import json
from dataclasses import replace
from pathlib import Path

from ekiben_contracts.checked_in import CheckedIn, read
from ekiben_contracts.checks import SUBJECT, find_problems
from ekiben_contracts.generation import Plan, freeze, generate
from ekiben_contracts.prediction import PredictionOutcomeObserved
from ekiben_contracts.topics import PREDICTION_OUTCOMES
from unit.contracts.broken import (
    CHECKED_IN,
    FROZEN,
    OUTCOME,
    PROMISED,
    STALE_PAGE,
    Added,
    Changed,
    with_event,
)

CHANGED = with_event(PredictionOutcomeObserved, Changed)
NOTHING = CheckedIn(schemas={}, examples=CHECKED_IN.examples, asyncapi=None, frozen="{}")


def test_nothing_is_written_where_all_agrees():
    assert generate(SUBJECT, CHECKED_IN) == Plan()


def test_a_change_that_is_not_frozen_rewrites_what_derives_from_it():
    assert set(generate(CHANGED, CHECKED_IN).write) == {f"schemas/{OUTCOME}.json", "asyncapi.json"}


def test_nothing_at_all_is_written_while_a_frozen_version_would_change():
    plan = generate(CHANGED, FROZEN)

    assert (plan.write, plan.delete, plan.page) == ({}, (), None)
    assert [OUTCOME in problem.broke for problem in plan.refused] == [True]


def test_the_schema_of_a_type_that_is_gone_is_deleted():
    gone = replace(
        SUBJECT,
        events=tuple(event for event in SUBJECT.events if event is not PredictionOutcomeObserved),
        topics=tuple(topic for topic in SUBJECT.topics if topic is not PREDICTION_OUTCOMES),
    )

    plan = generate(gone, CHECKED_IN)

    assert plan.delete == (f"schemas/{OUTCOME}.json",)
    assert plan.page is not None
    assert "ekiben.prediction-outcomes" not in plan.page


def test_only_the_table_of_a_page_is_written():
    assert generate(SUBJECT, replace(CHECKED_IN, page=STALE_PAGE)).page == CHECKED_IN.page


def test_what_is_generated_on_disk_agrees(tmp_path: Path):
    (tmp_path / "examples").mkdir()
    for name, text in CHECKED_IN.examples.items():
        (tmp_path / "examples" / f"{name}.json").write_text(text, "utf-8")
    (tmp_path / "frozen.json").write_text("{}\n", "utf-8")

    generate(SUBJECT, read(tmp_path)).carry_out(tmp_path, None)

    assert find_problems(SUBJECT, read(tmp_path)) == []
    assert read(tmp_path).asyncapi == CHECKED_IN.asyncapi


def test_freezing_promises_what_the_schema_accepts_today():
    plan = freeze(SUBJECT, FROZEN, ["ekiben.prediction.requested.v1"])

    frozen = json.loads(plan.write["frozen.json"])
    assert frozen.keys() == {OUTCOME, "ekiben.prediction.requested.v1"}
    assert frozen[OUTCOME] == PROMISED
    assert find_problems(SUBJECT, replace(CHECKED_IN, frozen=plan.write["frozen.json"])) == []


def test_freezing_twice_changes_nothing():
    once = freeze(SUBJECT, CHECKED_IN, [OUTCOME]).write["frozen.json"]

    assert freeze(SUBJECT, replace(CHECKED_IN, frozen=once), [OUTCOME]) == Plan()


def test_an_unknown_type_cannot_be_frozen():
    (problem,) = freeze(SUBJECT, CHECKED_IN, [Added.type]).refused

    assert problem.broke == "expected a type of EVENTS, found ekiben.flight.landed.v1"


def test_a_changed_frozen_version_cannot_be_frozen_anew():
    assert freeze(CHANGED, FROZEN, [OUTCOME]).refused


def test_a_stale_schema_cannot_be_frozen():
    assert freeze(SUBJECT, NOTHING, [OUTCOME]).refused
