"""`ekiben schemas`: what differs from what was published, for people and for machines."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from ekiben.cli import schemas
from ekiben.cli.app import app
from ekiben.cli.exit_codes import ExitCode
from ekiben_contracts.catalog import EVENTS
from ekiben_contracts.checks import SUBJECT
from ekiben_contracts.documents import schema
from ekiben_contracts.prediction import PredictionOutcomeObserved, PredictionRequested
from unit.contracts.broken import CHECKED_IN, FROZEN, OUTCOME, Changed, with_event
from unit.evolution.second_version import RequestedInHours

OLD, NEW = PredictionRequested.type, RequestedInHours.type
RENAMED = {
    "path": "outcome",
    "was": "required",
    "now": "renamed to label",
    "breaks": ["readers", "writers"],
}


@pytest.fixture
def frozen(monkeypatch):
    """One type is frozen."""
    monkeypatch.setattr(schemas, "read", lambda: FROZEN)


@pytest.fixture
def changed(monkeypatch):
    """The class of one type is changed."""
    monkeypatch.setattr(schemas, "SUBJECT", with_event(PredictionOutcomeObserved, Changed))


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["schemas", *arguments])
    return done.exit_code, done.output


def test_what_is_as_published_is_told_in_a_line(frozen):
    code, told = run("diff")

    assert code == ExitCode.OK
    assert told == (
        f"{len(EVENTS)} of {len(EVENTS)} types are as published; "
        "1 are frozen: any change of those is refused\n"
    )


def test_a_breaking_change_of_a_frozen_type_is_shown_and_fails(frozen, changed):
    code, told = run("diff", OUTCOME)

    assert code == ExitCode.NEGATIVE
    assert f"{OUTCOME} (frozen)" in told
    assert "outcome  required  renamed to label  readers, writers" in told


def test_machines_are_told_the_same(frozen, changed):
    code, told = run("diff", "--json")

    types = {each["type"]: each for each in json.loads(told)["types"]}
    assert code == ExitCode.NEGATIVE
    assert types.keys() == {event.type for event in EVENTS}
    assert types[OUTCOME] == {"type": OUTCOME, "against": "frozen", "breaking": True, "changes": [RENAMED]}
    assert types[OLD] == {"type": OLD, "against": "checked in", "breaking": False, "changes": []}


def test_a_type_that_is_not_frozen_is_compared_with_its_checked_in_schema(changed):
    code, told = run("diff", OUTCOME)

    assert (code, f"{OUTCOME} (checked in)" in told) == (ExitCode.NEGATIVE, True)


def test_a_frozen_type_that_is_gone_is_shown(monkeypatch, frozen):
    events = tuple(event for event in EVENTS if event is not PredictionOutcomeObserved)
    monkeypatch.setattr(schemas, "SUBJECT", replace(SUBJECT, events=events))

    code, told = run("diff")

    assert (code, "the whole  an event  gone  readers, writers" in told) == (ExitCode.NEGATIVE, True)


def test_two_versions_are_compared_with_each_other(monkeypatch):
    monkeypatch.setattr(schemas, "SUBJECT", replace(SUBJECT, events=(*EVENTS, RequestedInHours)))

    code, told = run("diff", OLD, NEW, "--json")

    told = json.loads(told)
    assert (code, told["before"], told["after"], told["breaking"]) == (ExitCode.NEGATIVE, OLD, NEW, True)
    assert {change["path"] for change in told["changes"]} == {"time_horizon", "horizon_hours"}


def test_a_version_accepts_the_same_as_itself():
    assert run("diff", OLD, OLD) == (ExitCode.OK, "they accept the same\n")


def test_an_unknown_type_is_told_with_what_to_try():
    code, told = run("diff", "ekiben.flight.landed.v1")

    assert (code, "ekiben schemas list" in told) == (ExitCode.NOT_FOUND, True)


def test_the_types_are_listed_with_their_topics(frozen):
    listed = {each["type"]: each for each in json.loads(run("list", "--json")[1])["schemas"]}

    assert listed[OUTCOME] == {"type": OUTCOME, "topic": "ekiben.prediction-outcomes", "frozen": True}
    assert listed.keys() == CHECKED_IN.schemas.keys()
    assert "may change" in run("list")[1]


def test_a_schema_is_shown_for_other_languages():
    code, told = run("show", OLD)

    assert (code, json.loads(told)) == (ExitCode.OK, schema(PredictionRequested))
