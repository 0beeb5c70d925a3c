"""What must not come in, before a whole gateway that asks who is asking, and a real Bento behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from ekiben_contracts.access import Scope, new_key
from ekiben_contracts.models import Role
from ekiben_contracts.routing import ModelRouted
from integration.gateway.asking import FEATURES, route
from integration.gateway.speaking import Speaking
from integration.served import Logged, Served
from unit.gateway.http.test_tokens import AUDIENCE, ISSUER, JWKS, token

PREDICT, BATCH, EXPLAIN = "/v1/predictions", "/v1/predictions:batch", "/v1/explanations"
INFER = "/v2/models/late/infer"
MOST_BYTES = 4096
ONE: dict[str, Any] = {"model": "late", "entity_id": "UA1", "features": FEATURES}
DATATYPES = {str: "BYTES", float: "FP64", int: "INT64", bool: "BOOL"}
TENSORS: list[dict[str, Any]] = [
    {"name": name, "shape": [1], "datatype": DATATYPES[type(value)], "data": [value]}
    for name, value in FEATURES.items()
]


class Sent(NamedTuple):
    """A request, and what must come back: a status and a code."""

    path: str
    body: bytes
    status: int
    code: str | None
    content_type: str = "application/json"
    method: str = "POST"


def sent(path: str, body: object, status: int, code: str | None) -> Sent:
    return Sent(path, json.dumps(body).encode(), status, code)


def tensors(**first: object) -> dict[str, object]:
    """An inference request whose first tensor is changed."""
    return {"inputs": [{**TENSORS[0], **first}, *TENSORS[1:]]}


BODIES: Mapping[str, Sent] = {
    "good": sent(PREDICT, ONE, 200, None),
    "good tensors": sent(INFER, tensors(), 200, None),
    "a wrong content type": Sent(PREDICT, b"late,UA1", 415, "unsupported_media_type", "text/csv"),
    "tensors of a wrong content type": Sent(INFER, b"1,2", 415, "unsupported_media_type", "text/csv"),
    "truncated JSON": Sent(PREDICT, json.dumps(ONE).encode()[:-9], 400, "invalid_request"),
    "truncated JSON of tensors": Sent(INFER, json.dumps(tensors()).encode()[:-9], 400, "invalid_request"),
    "a body over the limit": Sent(PREDICT, b" " * (MOST_BYTES + 1), 413, "too_large"),
    "tensors over the limit": Sent(INFER, b" " * (MOST_BYTES + 1), 413, "too_large"),
    "a shape and other data": sent(INFER, tensors(shape=[2]), 400, "invalid_request"),
    "an unknown datatype": sent(INFER, tensors(datatype="FP128"), 400, "invalid_request"),
    "a model in shadow only": sent(PREDICT, {**ONE, "model": "hidden"}, 404, "unknown_model"),
    "tensors for a model in shadow only": sent("/v2/models/hidden/infer", tensors(), 404, "unknown_model"),
    "the health of a model in shadow only": Sent(
        "/v1/models/hidden/health", b"", 404, "unknown_model", method="GET"
    ),
}


class Callers:
    """Who asks: keys in a file, tokens of a provider whose keys are in another."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "keys.jsonl"
        self._jwks = folder / "jwks.json"
        self._jwks.write_text(json.dumps(JWKS))
        self.all, self.explains, self.predicts = (
            self._add(*scopes) for scopes in (Scope, [Scope.EXPLAIN], [Scope.PREDICT])
        )

    def _add(self, *scopes: Scope) -> str:
        key = new_key("ana", frozenset(scopes))
        with self._file.open("a") as file:
            file.write(key.stored.model_dump_json() + "\n")
        return key.key

    @property
    def settings(self) -> dict[str, Any]:
        tokens = {"jwks_file": self._jwks, "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}
        return {"keys_file": self._file, **tokens, "body_bytes": MOST_BYTES}


@pytest.fixture
def callers(tmp_path: Path) -> Callers:
    return Callers(tmp_path)


@pytest.fixture
def routes(classifier: Logged, served: Served) -> tuple[ModelRouted, ModelRouted]:
    """The model, and another that shadows alone."""
    champion = route(classifier.event, served.url)
    shadow = champion.versions[0].model_copy(update={"weight": 0, "role": Role.SHADOW})
    return champion, champion.model_copy(update={"model": "hidden", "versions": [shadow]})


def bearer(credential: str) -> dict[str, str]:
    return {"authorization": f"Bearer {credential}"}


def outcome(answer: httpx.Response) -> tuple[int, str | None]:
    """Its status, and the code of its problem."""
    return answer.status_code, None if answer.is_success else answer.json()["code"]


async def test_each_bad_body_has_its_status_and_code(
    callers: Callers, routes: tuple[ModelRouted, ModelRouted]
) -> None:
    gateway, found = Speaking(), {}
    async with (
        gateway.over(*routes, **callers.settings),
        httpx.AsyncClient(base_url=gateway.url, timeout=30, headers=bearer(callers.all)) as client,
    ):
        for name, one in BODIES.items():
            headers = {"content-type": one.content_type}
            answer = await client.request(one.method, one.path, content=one.body, headers=headers)
            found[name] = outcome(answer)
    assert found == {name: (one.status, one.code) for name, one in BODIES.items()}


async def test_a_bad_row_is_named_and_its_neighbours_are_answered(
    callers: Callers, routes: tuple[ModelRouted, ModelRouted]
) -> None:
    gateway = Speaking()
    rows = [
        {**ONE, "request_id": "good"},
        {**ONE, "request_id": "bad", "features": {**FEATURES, "hour": "7"}},
    ]
    async with (
        gateway.over(*routes, **callers.settings),
        httpx.AsyncClient(base_url=gateway.url, timeout=30, headers=bearer(callers.all)) as client,
    ):
        answer = (await client.post(BATCH, json={"requests": rows})).json()
    good, bad = answer["results"]
    assert (answer["answered"], answer["refused"]) == (1, 1)
    assert (good["index"], good["prediction"]["request_id"]) == (0, "good")
    assert (bad["index"], bad["problem"]["request_id"], bad["problem"]["status"]) == (1, "bad", 400)
    assert bad["problem"]["code"] == "invalid_request"
    assert "hour" in bad["problem"]["detail"]


async def test_each_caller_who_may_not_has_its_status_and_code_on_every_way_in(
    callers: Callers, routes: tuple[ModelRouted, ModelRouted]
) -> None:
    expired = token(exp=datetime.now(UTC) - timedelta(minutes=1), scope="predict explain")
    wrong = callers.all[:-1] + ("a" if callers.all[-1] != "a" else "b")
    unknown, forbidden = (401, "unauthenticated"), (403, "forbidden")
    gateway, found = Speaking(), {}
    ways = {PREDICT: ONE, BATCH: {"requests": [ONE]}, EXPLAIN: ONE, INFER: tensors()}
    async with (
        gateway.over(*routes, **callers.settings),
        httpx.AsyncClient(base_url=gateway.url, timeout=60) as client,
    ):
        for path, body in ways.items():
            small = callers.predicts if path == EXPLAIN else callers.explains
            asking = {"nobody": {}, "a wrong key": bearer(wrong), "an expired token": bearer(expired)}
            asking |= {"a small scope": bearer(small), "a good one": bearer(token(scope="predict explain"))}
            for name, headers in asking.items():
                found[path, name] = outcome(await client.post(path, json=body, headers=headers))
    refused = {"nobody": unknown, "a wrong key": unknown, "an expired token": unknown}
    expected = {**refused, "a small scope": forbidden, "a good one": (200, None)}
    assert found == {(path, name): told for path in ways for name, told in expected.items()}
