"""The command line without a broker: help, errors, exit codes, what goes where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ekiben.cli.app import app
from ekiben.cli.ensembles import read_ensembles
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.predicting import parse_features
from ekiben.cli.target import find_target
from ekiben.errors import InvalidInputError, NoBrokerError
from ekiben.local import running
from ekiben.local.home import Home
from ekiben_contracts.models import Method, Quorum

COMMANDS = [
    [],
    ["up"],
    ["demo"],
    ["doctor"],
    ["predict"],
    ["publish"],
    ["results"],
    ["routes"],
    ["deploy"],
    ["retire"],
    ["ensembles", "apply"],
    ["ensembles", "define"],
    ["dlq", "list"],
    ["dlq", "show"],
    ["dlq", "replay"],
    ["dlq", "discard"],
    ["dlq", "trim"],
    ["parked", "list"],
    ["offsets", "list"],
    ["offsets", "skip"],
    ["topics", "apply"],
    ["topics", "list"],
    ["schemas", "list"],
    ["schemas", "show"],
    ["schemas", "diff"],
]


def ekiben(*arguments, home, **environment):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "EKIBEN_"))}
    return subprocess.run(
        [Path(sys.executable).with_name("ekiben"), *arguments],
        env={**env, "EKIBEN_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_a_help_with_an_example(command):
    ended = CliRunner().invoke(app, [*command, "--help"])
    assert ended.exit_code == ExitCode.OK
    assert ("Example: ekiben" if command else "Exit codes") in ended.stdout
    assert "\x1b" not in ended.stdout


def test_every_exit_code_is_in_the_help():
    told = " ".join(CliRunner().invoke(app, ["--help"]).stdout.split())
    for code in ExitCode:
        assert f"{code.value} {code.meaning}" in told


def test_without_a_broker_the_error_says_how_to_get_one(tmp_path):
    ended = ekiben("routes", home=tmp_path)
    assert ended.returncode == ExitCode.NO_BROKER
    assert ended.stdout == ""
    for part in (
        "expected  a broker to talk to",
        f"{tmp_path} has no running `ekiben up`",
        "try  `ekiben up`",
    ):
        assert part in ended.stderr
    assert "Traceback" not in ended.stderr


def test_errors_are_json_where_json_was_asked_for(tmp_path):
    ended = ekiben("routes", "--json", "-b", "127.0.0.1:1", home=tmp_path)
    assert ended.returncode == ExitCode.NO_BROKER
    assert set(json.loads(ended.stderr)["error"]) == {"expected", "found", "try"}


def test_a_setting_that_cannot_be_right_is_named(tmp_path):
    ended = ekiben("routes", "-b", "127.0.0.1:1", home=tmp_path, KAFKA_SECURITY_PROTOCOL="CARRIER_PIGEON")
    assert ended.returncode == ExitCode.USAGE
    assert "security_protocol" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_doctor_finds_what_is_missing_and_says_the_mend(tmp_path):
    ended = ekiben("doctor", "--json", home=tmp_path)
    assert ended.returncode == ExitCode.NEGATIVE
    checks = {check["name"]: check for check in json.loads(ended.stdout)["checks"]}
    assert checks["python"]["verdict"] == "ok"
    assert checks["broker"]["verdict"] == "fail"
    assert "ekiben up" in checks["broker"]["mend"]
    assert checks["topics"]["verdict"] == "skipped"


def test_features_come_from_both_options():
    found = parse_features('{"a": 1, "b": null}', ["a=2.5", "carrier=UA", "late=true", "tail=[1]"])
    assert found == {"a": 2.5, "b": None, "carrier": "UA", "late": True, "tail": "[1]"}


def test_no_features_at_all_leave_them_to_the_feature_store():
    assert parse_features(None, []) is None


@pytest.mark.parametrize(
    ("document", "pairs"), [("[1]", []), ("{", []), ("@/no/such/file", []), (None, ["a"])]
)
def test_features_that_cannot_be_read_are_refused(document, pairs):
    with pytest.raises(InvalidInputError):
        parse_features(document, pairs)


def test_ensembles_are_read_from_yaml(tmp_path):
    file = tmp_path / "ensembles.yaml"
    file.write_text("ensembles:\n  both: {members: [a, b], missing_policy: {quorum: 1}}\n")
    (both,) = read_ensembles(file).values()
    assert (both.members, both.method, both.missing_policy) == (["a", "b"], Method.AVERAGE, Quorum(quorum=1))


@pytest.mark.parametrize(
    "text",
    ["ensembles: {both: {members: []}}", "both: {}", "ensembles: {", "ensembles: {both: {memebrs: [a]}}"],
)
def test_a_wrong_file_of_ensembles_is_refused_by_its_name(tmp_path, text):
    file = tmp_path / "ensembles.yaml"
    file.write_text(text)
    with pytest.raises(InvalidInputError, match=r"ensembles\.yaml"):
        read_ensembles(file)


def test_a_named_broker_comes_before_the_running_one(tmp_path, monkeypatch):
    monkeypatch.delenv("KAFKA_SECURITY_PROTOCOL", raising=False)
    assert find_target("kafka-1:9092", None, tmp_path).kafka.bootstrap_servers == "kafka-1:9092"


def test_a_system_that_is_still_starting_is_told_apart(tmp_path):
    with running.held(Home.of(tmp_path)), pytest.raises(NoBrokerError, match="still starting"):
        find_target(None, None, tmp_path)
