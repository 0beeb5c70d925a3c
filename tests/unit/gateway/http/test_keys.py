"""API keys: made once, kept as digests, revoked by deleting a line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from ekiben_contracts.access import Scope, digest, id_of, new_key
from ekiben_inference_gateway.http.access.callers import UnknownCallerError
from ekiben_inference_gateway.http.access.keys import KeyFile, KeysFileError, read_keys

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PREDICT = frozenset({Scope.PREDICT})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.jsonl"


def write(path, *keys):
    path.write_text("".join(f"{key.stored.model_dump_json()}\n" for key in keys))


def keys_of(path):
    return KeyFile(path, lambda: NOW)


def test_a_key_lets_in_with_its_scopes_and_rate(path):
    key = new_key("ana", frozenset({Scope.PREDICT, Scope.ADMIN}), "10/minute")
    write(path, new_key("bob", PREDICT), key)
    caller = keys_of(path).caller(key.key)
    assert (caller.id, caller.scopes, caller.rate) == (
        key.stored.id, {Scope.PREDICT, Scope.ADMIN}, "10/minute",
    )  # fmt: skip


def test_nothing_of_a_key_is_kept_or_told_but_its_digest(path):
    key = new_key("ana", PREDICT)
    write(path, key)
    secret = key.key.split("_", 2)[2]
    assert secret not in path.read_text()
    assert digest(key.key) in path.read_text()
    for told in (repr(key), repr(key.stored), str(key.stored)):
        assert secret not in told
        assert key.stored.sha256 not in told


def test_no_two_keys_are_alike():
    keys = [new_key("ana", PREDICT) for _ in range(100)]
    assert len({key.key for key in keys}) == len({key.stored.id for key in keys}) == 100


@pytest.mark.parametrize("change", [lambda key: key[:-1], lambda key: f"{key}x", str.upper, str.swapcase])
def test_a_key_that_is_nearly_right_is_nobody_s(path, change):
    key = new_key("ana", PREDICT)
    assert change(key.key) != key.key
    write(path, key)
    with pytest.raises(UnknownCallerError) as refused:
        keys_of(path).caller(change(key.key))
    assert key.key not in str(refused.value)


@pytest.mark.parametrize("text", ["", "ekiben", "ekiben_", "ekiben_abc", "other_abc_def", "_abc_def"])
def test_what_is_no_key_is_nobody_s(path, text):
    write(path, new_key("ana", PREDICT))
    assert id_of(text) is None
    with pytest.raises(UnknownCallerError):
        keys_of(path).caller(text)


@pytest.mark.parametrize(("left", "lets_in"), [(timedelta(seconds=1), True), (timedelta(0), False)])
def test_a_key_ends_when_it_expires(path, left, lets_in):
    key = new_key("ana", PREDICT, expires_at=NOW + left)
    write(path, key)
    if lets_in:
        assert keys_of(path).caller(key.key).id == key.stored.id
    else:
        with pytest.raises(UnknownCallerError, match="expired"):
            keys_of(path).caller(key.key)


def test_a_key_whose_line_is_deleted_lets_nobody_in_any_more(path):
    kept, revoked = new_key("ana", PREDICT), new_key("bob", PREDICT)
    write(path, kept, revoked)
    keys = keys_of(path)
    keys.caller(revoked.key)
    write(path, kept)
    keys.caller(kept.key)
    with pytest.raises(UnknownCallerError):
        keys.caller(revoked.key)


@pytest.mark.parametrize("broken", ["no json\n", None])
def test_while_the_file_is_broken_nobody_is_let_in(path, broken):
    key = new_key("ana", PREDICT)
    write(path, key)
    keys = keys_of(path)
    path.unlink() if broken is None else path.write_text(broken)
    with pytest.raises(UnknownCallerError):
        keys.caller(key.key)
    write(path, key)
    assert keys.caller(key.key).id == key.stored.id


def test_a_broken_file_is_named_with_its_line_and_no_digest(path):
    good = new_key("ana", PREDICT).stored
    bad = good.model_dump_json().replace('"predict"', '"all"')
    path.write_text(f"{good.model_dump_json()}\n\n{bad}\n")
    with pytest.raises(KeysFileError, match=r"line 3.*scopes") as refused:
        read_keys(path)
    assert good.sha256 not in str(refused.value)


def test_a_digest_that_is_a_whole_key_by_mistake_is_not_told(path):
    key = new_key("ana", PREDICT)
    path.write_text(key.stored.model_dump_json().replace(key.stored.sha256, key.key))
    with pytest.raises(KeysFileError, match="sha256") as refused:
        read_keys(path)
    assert key.key not in str(refused.value)


@pytest.mark.parametrize("field", ["id", "name", "scopes", "rate", "expires_at"])
def test_a_key_in_another_field_by_mistake_is_not_told_either(path, field):
    key = new_key("ana", PREDICT)
    line = {**key.stored.model_dump(mode="json"), "name": "", "sha256": key.key}
    line[field] = [key.key] if field == "scopes" else key.key * 3
    path.write_text(json.dumps(line))
    with pytest.raises(KeysFileError, match=field) as refused:
        read_keys(path)
    assert key.key[:20] not in str(refused.value)


def test_a_missing_file_is_named(path):
    with pytest.raises(KeysFileError, match=r"keys\.jsonl"):
        read_keys(path)
