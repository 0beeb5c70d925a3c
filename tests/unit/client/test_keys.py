"""`ekiben keys create` and what it leaves behind."""

from __future__ import annotations

import json
import stat

import pytest
from typer.testing import CliRunner

from ekiben.cli.app import app
from ekiben_contracts.access import Scope, StoredKey, id_of


@pytest.fixture
def file(tmp_path):
    return tmp_path / "keys.jsonl"


def create(file, *words):
    return CliRunner().invoke(app, ["keys", "create", "shop", "--file", str(file), *words])


def stored_in(file):
    return [StoredKey.model_validate_json(line) for line in file.read_text().splitlines()]


def test_the_key_is_shown_once_and_its_digest_alone_is_kept(file):
    key = create(file, "--scope", "predict", "--rate", "5/minute").stdout.strip()
    (stored,) = stored_in(file)
    assert stored.is_of(key)
    assert stored.id == id_of(key)
    assert (stored.name, stored.scopes, stored.rate) == ("shop", {Scope.PREDICT}, "5/minute")
    assert key.split("_", 2)[2] not in file.read_text()


def test_the_file_is_its_owner_s_alone(file):
    create(file, "--scope", "predict")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_another_key_is_a_line_more(file):
    keys = [json.loads(create(file, "--scope", "admin", "--json").stdout)["key"] for _ in range(3)]
    assert [one.is_of(key) for one, key in zip(stored_in(file), keys, strict=True)] == [True] * 3


def test_a_key_may_expire(file):
    create(file, "--scope", "predict", "--scope", "explain", "--days", "30")
    (stored,) = stored_in(file)
    assert stored.scopes == {Scope.PREDICT, Scope.EXPLAIN}
    assert stored.expires_at is not None


@pytest.mark.parametrize(
    "words", [[], ["--scope", "all"], ["--scope", "predict", "--rate", "often"]], ids=str
)
def test_a_key_that_would_not_be_what_was_meant_is_not_made(file, words):
    assert create(file, *words).exit_code == 2
    assert not file.exists()
