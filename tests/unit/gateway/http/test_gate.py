"""Whom the face lets in: keys, tokens, scopes, rates; what is answered to others; what is never told."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest

from ekiben_contracts.access import Scope, new_key
from unit.gateway.building import FakeRoutes, Gateway, model
from unit.gateway.http.facing import ASKED, facing, problem_of
from unit.gateway.http.test_tokens import AUDIENCE, ISSUER, JWKS, token

PREDICT, BATCH, EXPLAIN = "/v1/predictions", "/v1/predictions:batch", "/v1/explanations"

ROUTES = [
    ("POST", PREDICT),
    ("POST", BATCH),
    ("POST", EXPLAIN),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/delay/health"),
]


@pytest.fixture
def gateway():
    return Gateway(FakeRoutes.of(model("delay")))


@pytest.fixture
def keys(tmp_path):
    return Keys(tmp_path / "keys.jsonl")


class Keys:
    """A file of keys."""

    def __init__(self, path):
        self.path = path

    def add(self, *scopes, **rest):
        key = new_key("ana", frozenset(scopes), **rest)
        with self.path.open("a") as file:
            file.write(key.stored.model_dump_json() + "\n")
        return key.key


def bearer(credential):
    return {"authorization": f"Bearer {credential}"}


async def test_a_key_is_taken_as_a_bearer_or_in_its_own_header(gateway, keys):
    key = keys.add(Scope.PREDICT)
    async with facing(gateway, keys_file=keys.path) as client:
        answers = [
            await client.post(PREDICT, json=ASKED, headers=headers)
            for headers in (bearer(key), {"authorization": f"bearer  {key}"}, {"x-api-key": key})
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Basic YTpi"},
        bearer("ekiben_0123456789ab_wrong"),
        bearer("x" * 20_000),
        {"x-api-key": "wrong"},
    ],
    ids=["no key", "empty", "no credential", "another scheme", "wrong key", "very long", "no key at all"],
)
@pytest.mark.parametrize(
    ("method", "path"),
    ROUTES,
)
async def test_whoever_has_no_key_is_refused_before_the_body_is_read(gateway, keys, method, path, headers):
    keys.add(Scope.PREDICT)
    read = 0

    async def body():
        nonlocal read
        read += 1
        yield b"{}"

    async with facing(gateway, keys_file=keys.path) as client:
        answer = await client.request(method, path, content=body(), headers=headers)
    assert (answer.status_code, problem_of(answer)["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert read == 0


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (Scope.PREDICT, {PREDICT, BATCH, "/v1/models"}),
        (Scope.EXPLAIN, {EXPLAIN}),
        (Scope.ADMIN, {"/v1/models/delay/health"}),
    ],
)
async def test_each_scope_opens_its_own_routes_alone(gateway, keys, scope, allowed):
    key = keys.add(scope)
    opened = set()
    async with facing(gateway, keys_file=keys.path) as client:
        for method, path in ROUTES:
            body = {**ASKED, "requests": [ASKED]}
            answer = await client.request(method, path, json=body, headers=bearer(key))
            if answer.status_code == 403:
                assert problem_of(answer)["code"] == "forbidden"
            else:
                opened.add(path)
    assert opened == allowed


async def test_tokens_and_keys_are_taken_side_by_side(gateway, keys, tmp_path):
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps(JWKS))
    expired = token(exp=datetime.now(UTC) - timedelta(minutes=1))
    credentials = [keys.add(Scope.PREDICT), token(), expired, token(scope="explain")]
    settings = {"jwks_file": jwks, "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE, "keys_file": keys.path}
    async with facing(gateway, **settings) as client:
        answers = [await client.post(PREDICT, json=ASKED, headers=bearer(one)) for one in credentials]
    assert [answer.status_code for answer in answers] == [200, 200, 401, 403]
    assert "expired" in problem_of(answers[2])["detail"]


async def test_a_caller_that_asks_too_often_is_told_when_to_come_again_and_nobody_else_is(gateway, keys):
    eager, other = keys.add(Scope.PREDICT), keys.add(Scope.PREDICT)
    async with facing(gateway, keys_file=keys.path, rate="3/hour") as client:
        found = [await client.post(PREDICT, json=ASKED, headers=bearer(eager)) for _ in range(4)]
        another = await client.post(PREDICT, json=ASKED, headers=bearer(other))
    assert [answer.status_code for answer in found] == [200, 200, 200, 429]
    assert problem_of(found[3])["code"] == "rate_limited"
    assert 0 < int(found[3].headers["retry-after"]) <= 3600
    assert another.status_code == 200


async def test_every_row_of_a_batch_counts(gateway, keys):
    key = keys.add(Scope.PREDICT, rate="5/hour")
    async with facing(gateway, keys_file=keys.path) as client:
        found = [
            await client.post(BATCH, json={"requests": [ASKED] * 3}, headers=bearer(key)) for _ in range(2)
        ]
    assert [answer.status_code for answer in found] == [200, 429]


async def test_a_batch_beyond_its_callers_whole_rate_is_refused_for_good(gateway, keys):
    key = keys.add(Scope.PREDICT, rate="5/hour")
    async with facing(gateway, keys_file=keys.path) as client:
        large = await client.post(BATCH, json={"requests": [ASKED] * 6}, headers=bearer(key))
        fitting = await client.post(BATCH, json={"requests": [ASKED] * 4}, headers=bearer(key))
    assert (large.status_code, problem_of(large)["code"]) == (413, "too_large")
    assert "at most 5 rows in one request of this caller, whose rate is 5/hour, found 6" in large.text
    assert "retry-after" not in large.headers
    assert fitting.status_code == 200


async def test_nothing_secret_is_told_or_logged(gateway, keys, caplog):
    key = keys.add(Scope.PREDICT)
    wrong = key[:-1] + ("a" if key[-1] != "a" else "b")
    with caplog.at_level(logging.DEBUG):
        async with facing(gateway, keys_file=keys.path) as client:
            answers = [
                await client.post(PREDICT, json=ASKED, headers=bearer(one)) for one in (key, wrong, token())
            ]
    assert [answer.status_code for answer in answers] == [200, 401, 401]
    secrets = [key.split("_", 2)[2], wrong.split("_", 2)[2], token().rpartition(".")[2]]
    for told in (caplog.text, *(answer.text for answer in answers)):
        assert not [secret for secret in secrets if secret in told]
