"""What is asked over HTTP, and what is answered: predictions, batches, explanations, models, their health."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from ekiben_contracts.models import Role
from ekiben_inference_gateway.routing import Router
from ekiben_serving.model_client import Explanation
from ekiben_serving.validation import RowError
from unit.gateway.building import FEATURES, FakeRoutes, Gateway, ensemble, model, version
from unit.gateway.http.facing import ASKED, facing, problem_of

PREDICT, BATCH, EXPLAIN = "/v1/predictions", "/v1/predictions:batch", "/v1/explanations"
JSON = {"content-type": "application/json"}


@pytest.fixture
def gateway():
    both = ensemble("both", ["delay", "weather"])
    hidden = model("hidden", version("1", 0, Role.SHADOW))
    retired = model("old", version("1", 0, Role.RETIRED))
    return Gateway(FakeRoutes.of(model("delay"), model("weather"), both, hidden, retired))


async def test_a_prediction_has_the_model_s_answer_and_the_request_s_identity(gateway):
    async with facing(gateway) as client:
        answer = await client.post(PREDICT, json=ASKED)
    assert answer.status_code == 200
    assert answer.json() == {
        "request_id": "r-1",
        "model": "delay",
        "version": "1",
        "role": "champion",
        "entity_id": "UA1",
        "time_horizon": "short_term",
        "prediction": 0.35,
        "label": "on_time",
        "probabilities": {"on_time": 0.65, "late": 0.35},
        "latency_ms": 3.5,
    }


async def test_a_request_without_an_id_is_given_one(gateway):
    async with facing(gateway) as client:
        answer = await client.post(PREDICT, json={**ASKED, "request_id": None})
    assert answer.json()["request_id"] == "drawn-1"


async def test_a_canary_is_drawn_as_on_the_bus(gateway):
    gateway.routes.read["model/delay"] = model(
        "delay", version("1", 5000), version("2", 5000, Role.CHALLENGER)
    )
    names = [f"r-{number}" for number in range(40)]
    async with facing(gateway) as client:
        rows = [{**ASKED, "request_id": name} for name in names]
        results = (await client.post(BATCH, json={"requests": rows})).json()["results"]
    router_says = [
        plan.draw(name)[0].endpoint.version for plan in [_plan(gateway, "delay")] for name in names
    ]
    assert [one["prediction"]["version"] for one in results] == router_says
    assert set(router_says) == {"1", "2"}


def _plan(gateway, name):
    return Router(gateway.routes).plan(name)


@pytest.mark.parametrize(
    ("asked", "status", "code", "says"),
    [
        ({"model": "nobody"}, 404, "unknown_model", "'nobody'"),
        ({"model": "hidden"}, 404, "unknown_model", "in shadow only"),
        ({"model": "old"}, 404, "unknown_model", "retired or at weight 0"),
        ({"model": "both"}, 400, "invalid_request", "publish the request to the bus"),
        ({"model": "a/b"}, 400, "invalid_request", "model: expected text that matches"),
        ({"entity_id": 7}, 400, "invalid_request", "entity_id: expected text, found 7"),
        ({"features": {"distance": []}}, 400, "invalid_request", "features.distance"),
        ({"features": {**FEATURES, "distance": "far"}}, 400, "invalid_request", "distance: expected"),
        ({"features": None}, 422, "missing_features", "distance, carrier"),
        ({"features": {"carrier": "UA"}}, 422, "missing_features", "distance"),
        ({"deadline": "2020-01-01T00:00:00Z"}, 422, "deadline_exceeded", "2020-01-01"),
        ({"deadline": "2020-01-01"}, 400, "invalid_request", "deadline: expected an ISO 8601 time"),
        ({"features": {f"f{n}": 1 for n in range(11)}}, 400, "invalid_request", "at most 10, found 11"),
    ],
)
async def test_what_cannot_be_answered_is_a_problem_with_its_code(gateway, asked, status, code, says):
    async with facing(gateway, features=10) as client:
        answer = await client.post(PREDICT, json={**ASKED, **asked})
    problem = problem_of(answer)
    assert (answer.status_code, problem["code"]) == (status, code)
    assert says in problem["detail"]
    assert "dead letter" not in problem["detail"]


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (json.dumps(ASKED)[:-20], JSON, 400, "invalid_request"),
        (b"", JSON, 400, "invalid_request"),
        (b"[]", JSON, 400, "invalid_request"),
        (b"\xff\xfe", JSON, 400, "invalid_request"),
        (b'{"model": NaN}', JSON, 400, "invalid_request"),
        (b"[" * 2000, JSON, 400, "invalid_request"),
        (json.dumps(ASKED), {"content-type": "text/plain"}, 415, "unsupported_media_type"),
        (json.dumps(ASKED), {}, 415, "unsupported_media_type"),
        (b" " * 3000, JSON, 413, "too_large"),
    ],
    ids=["truncated", "empty", "array", "no utf-8", "nan", "deep", "text", "no type", "too large"],
)
@pytest.mark.parametrize("path", [PREDICT, BATCH, EXPLAIN])
async def test_a_body_that_cannot_be_read_is_refused(gateway, path, content, headers, status, code):
    async with facing(gateway, body_bytes=2048) as client:
        answer = await client.post(path, content=content, headers=headers)
    assert (answer.status_code, problem_of(answer)["code"]) == (status, code)


async def test_a_body_in_chunks_is_held_no_further_than_the_limit(gateway):
    sent = 0

    async def endless():
        nonlocal sent
        while True:
            sent += 512
            yield b" " * 512

    async with facing(gateway, body_bytes=2048) as client:
        answer = await client.post(PREDICT, content=endless(), headers=JSON)
    assert (answer.status_code, problem_of(answer)["code"]) == (413, "too_large")
    assert sent <= 4096


async def test_one_bad_row_of_a_batch_is_named_and_the_others_are_answered(gateway):
    gateway.models.row_errors["ZZ"] = RowError("internal", "the model has never seen ZZ")
    rows = [
        ASKED,
        {**ASKED, "request_id": "r-2", "entity_id": None},
        {**ASKED, "request_id": "r-3", "features": {**FEATURES, "carrier": "ZZ"}},
        "no object",
        {**ASKED, "request_id": "r-5", "model": "nobody"},
        {**ASKED, "request_id": "r-6", "model": "weather"},
    ]
    async with facing(gateway) as client:
        answer = await client.post(BATCH, json={"requests": rows})
    found = answer.json()
    assert answer.status_code == 200
    assert (found["answered"], found["refused"]) == (2, 4)
    assert [one["index"] for one in found["results"]] == [0, 1, 2, 3, 4, 5]
    assert [one["prediction"] and one["prediction"]["request_id"] for one in found["results"]] == [
        "r-1", None, None, None, None, "r-6",
    ]  # fmt: skip
    problems = [one["problem"] for one in found["results"] if one["problem"]]
    assert [(one["code"], one["request_id"]) for one in problems] == [
        ("invalid_request", "r-2"),
        ("internal", "r-3"),
        ("invalid_request", None),
        ("unknown_model", "r-5"),
    ]


@pytest.mark.parametrize(
    "body", [{"requests": []}, {"requests": [ASKED] * 4}, {"requests": {}}, {}, []], ids=str
)
async def test_a_batch_that_is_none_is_refused_whole(gateway, body):
    async with facing(gateway, rows=3) as client:
        answer = await client.post(BATCH, json=body)
    assert (answer.status_code, problem_of(answer)["code"]) == (400, "invalid_request")
    assert gateway.models.clients == {}


async def test_an_explanation_has_what_each_feature_added(gateway):
    moved = {"distance": 0.25, "carrier": 0.1, "seats": 0.0}
    gateway.models.client().explain = lambda row: Explanation("delay", "1", 0.35, 0.0, moved)
    async with facing(gateway) as client:
        answer = await client.post(EXPLAIN, json=ASKED)
    found = answer.json()
    assert answer.status_code == 200, found
    assert found["prediction"] == 0.35
    assert found["attributions"] == moved


async def test_a_prediction_explains_nothing_whatever_the_request_says(gateway):
    async with facing(gateway) as client:
        await client.post(PREDICT, json={**ASKED, "explain": True})
    assert gateway.models.client().explained == []


async def test_a_model_without_an_explainer_is_told_so(gateway):
    async with facing(gateway) as client:
        answer = await client.post(EXPLAIN, json=ASKED)
    assert (answer.status_code, problem_of(answer)["code"]) == (422, "unexplained")


async def test_a_model_that_is_down_is_a_503_that_says_when_to_come_again(gateway):
    gateway.models.down()
    async with facing(gateway) as client:
        answer = await client.post(PREDICT, json=ASKED)
    assert (answer.status_code, problem_of(answer)["code"]) == (503, "model_unavailable")
    assert int(answer.headers["retry-after"]) > 0


async def test_a_model_that_breaks_is_a_500(gateway):
    gateway.models.breaks()
    async with facing(gateway) as client:
        answer = await client.post(PREDICT, json=ASKED)
    assert (answer.status_code, problem_of(answer)["code"]) == (500, "internal")
    assert "ask again" in answer.json()["detail"]


async def test_a_bug_tells_its_class_and_nothing_else(gateway):
    gateway.models.client().failure = RuntimeError("the secret is 42")
    async with facing(gateway) as client:
        answer = await client.post(PREDICT, json=ASKED)
    assert (answer.status_code, problem_of(answer)["code"]) == (500, "internal")
    assert "RuntimeError" in answer.json()["detail"]
    assert "42" not in answer.text


async def test_before_a_model_is_unknown_the_routes_are_read_to_their_end(gateway):
    gateway.routes.unread["model/new"] = model("new")
    async with facing(gateway) as client:
        answer = await client.post(PREDICT, json={**ASKED, "model": "new"})
    assert answer.status_code == 200


async def test_while_the_routes_cannot_be_read_a_model_is_not_called_unknown(gateway):
    gateway.routes.broken = True
    async with facing(gateway) as client:
        answer = await client.post(PREDICT, json={**ASKED, "model": "new"})
    assert (answer.status_code, problem_of(answer)["code"]) == (503, "model_unavailable")


async def test_a_deadline_is_in_force_as_on_the_bus(gateway):
    soon = (gateway.now + timedelta(seconds=5)).isoformat()
    async with facing(gateway) as client:
        in_time = await client.post(PREDICT, json={**ASKED, "deadline": soon})
        gateway.wait(7)
        late = await client.post(PREDICT, json={**ASKED, "deadline": soon})
    assert (in_time.status_code, late.status_code) == (200, 422)


async def test_models_are_the_single_ones_that_take_traffic_with_their_signatures(gateway):
    async with facing(gateway) as client:
        found = (await client.get("/v1/models")).json()["models"]
    assert [one["name"] for one in found] == ["delay", "weather"]
    assert found[0]["classes"] == ["on_time", "late"]
    (served,) = found[0]["versions"]
    assert (served["version"], served["weight"], served["role"]) == ("1", 10_000, "champion")
    assert [spec["name"] for spec in served["signature"]] == ["distance", "carrier", "seats"]


async def test_health_names_every_endpoint_behind_a_model(gateway):
    gateway.routes.read["model/delay"] = model("delay", version("1", 9000), version("2", 1000))
    gateway.models.down(of_version="2")
    async with facing(gateway) as client:
        found = (await client.get("/v1/models/delay/health")).json()
    assert found["ready"] is True
    assert {one["version"]: one["ready"] for one in found["endpoints"]} == {"1": True, "2": False}


@pytest.mark.parametrize(("name", "status"), [("nobody", 404), ("both", 400), ("hidden", 404)])
async def test_health_of_what_is_no_single_model_is_a_problem(gateway, name, status):
    async with facing(gateway) as client:
        answer = await client.get(f"/v1/models/{name}/health")
    assert answer.status_code == status
    problem_of(answer)


async def test_a_route_that_is_switched_off_is_not_there(gateway):
    async with facing(gateway, routes=["predictions"]) as client:
        answers = [await client.post(path, json=ASKED) for path in (PREDICT, BATCH, EXPLAIN)]
        answers += [await client.get(path) for path in ("/v1/models", "/openapi.json")]
    assert [answer.status_code for answer in answers] == [200, 404, 404, 404, 404]
    assert problem_of(answers[1])["code"] == "not_found"


async def test_another_method_is_a_problem_that_names_the_right_one(gateway):
    async with facing(gateway) as client:
        answer = await client.get(PREDICT)
    assert (answer.status_code, problem_of(answer)["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"
