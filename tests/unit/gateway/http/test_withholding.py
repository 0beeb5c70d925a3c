"""What endpoints and stores say of themselves is for the log, never for whoever asks over HTTP."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from ekiben_serving.errors import ModelTransientError
from ekiben_serving.features.errors import FeatureStoreError
from ekiben_serving.validation import RowError
from unit.gateway.building import FakeRoutes, Gateway, model
from unit.gateway.features.stores import flights_store, lanes
from unit.gateway.http.facing import ASKED, FakeBus, facing, problem_of

PREDICT, BATCH, EXPLAIN = "/v1/predictions", "/v1/predictions:batch", "/v1/explanations"
INFER = "/v2/models/delay/infer"
TENSORS = {
    "inputs": [
        {"name": "distance", "shape": [1], "datatype": "FP64", "data": [1400]},
        {"name": "carrier", "shape": [1], "datatype": "BYTES", "data": ["UA"]},
    ]
}


@pytest.fixture
def gateway():
    return Gateway(FakeRoutes.of(model("delay")))


def down(gateway):
    gateway.models.down()


def breaks(gateway):
    gateway.models.breaks()


@pytest.mark.parametrize(("route", "body"), [(PREDICT, ASKED), (INFER, TENSORS)])
@pytest.mark.parametrize(
    ("fail", "status", "why"), [(down, 503, "connection refused"), (breaks, 500, "found 500")]
)
async def test_a_model_s_own_words_and_url_are_logged_and_not_told(gateway, route, body, fail, status, why):
    fail(gateway)
    with capture_logs() as logs:
        async with facing(gateway) as client:
            answer = await client.post(route, json=body)
    assert answer.status_code == status
    assert "127.0.0.1" not in answer.text
    assert why not in answer.json()["detail"]
    assert "ask again" in answer.json()["detail"]
    (logged,) = [one for one in logs if one["log_level"] == "warning"]
    assert (logged["model"], why in logged["why"], "127.0.0.1" in logged["why"]) == ("delay", True, True)


async def test_a_row_of_a_batch_is_told_as_little(gateway):
    gateway.models.down()
    async with facing(gateway) as client:
        answer = await client.post(BATCH, json={"requests": [ASKED, {**ASKED, "model": "nobody"}]})
    away, unknown = (one["problem"] for one in answer.json()["results"])
    assert (away["code"], "127.0.0.1" in away["detail"]) == ("model_unavailable", False)
    assert "found 'nobody'" in unknown["detail"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (RowError("internal", "the model failed: ZZ is no carrier"), "the model failed: ZZ is no carrier"),
        (RowError("invalid_request", "ZZ is no carrier"), "ZZ is no carrier"),
        (
            RowError("invalid_request", "model delay at http://127.0.0.1:301: found 400: ZZ is no carrier."),
            "model delay: found 400: ZZ is no carrier;",
        ),
    ],
)
async def test_what_a_model_says_of_a_row_is_told_without_its_url(gateway, said, told):
    gateway.models.row_errors["UA"] = said
    async with facing(gateway) as client:
        answer = await client.post(PREDICT, json=ASKED)
    assert told in problem_of(answer)["detail"]
    assert "127.0.0.1" not in answer.text


async def test_what_a_model_says_of_a_row_has_an_end(gateway):
    gateway.models.row_errors["UA"] = RowError("internal", "x" * 100_000)
    async with facing(gateway) as client:
        answer = await client.post(PREDICT, json=ASKED)
    assert len(problem_of(answer)["detail"]) == 2_000


async def test_a_feature_store_s_own_words_are_not_told():
    gateway, store = Gateway(FakeRoutes.of(model("delay", feature_service="flights"))), flights_store()
    store.failure = FeatureStoreError("no password for db.internal")
    async with lanes(store) as found:
        gateway.fill = found.main
        with capture_logs() as logs:
            async with facing(gateway) as client:
                answer = await client.post(PREDICT, json=ASKED)
    assert (answer.status_code, problem_of(answer)["code"]) == (503, "model_unavailable")
    assert "db.internal" not in answer.text
    assert any("db.internal" in one.get("why", "") for one in logs)


async def test_why_a_model_does_not_explain_is_not_told(gateway):
    client_of_model = gateway.models.client()

    async def explain_batch(rows, **_):
        raise ModelTransientError("delay", "http://127.0.0.1:301", "found 500")

    client_of_model.explain_batch = explain_batch
    with capture_logs() as logs:
        async with facing(gateway) as client:
            answer = await client.post(EXPLAIN, json=ASKED)
    assert (answer.status_code, problem_of(answer)["code"]) == (422, "unexplained")
    assert "127.0.0.1" not in answer.text
    assert any("127.0.0.1" in one.get("why", "") for one in logs)


async def test_a_broker_that_does_not_answer_is_not_told_of(gateway):
    gateway.routes.broken = True
    async with facing(gateway) as client:
        by_us = await client.post(PREDICT, json={**ASKED, "model": "new"})
        by_protocol = await client.post("/v2/models/new/infer", json=TENSORS)
    assert [one.status_code for one in (by_us, by_protocol)] == [503, 503]
    assert "broker" not in by_us.text + by_protocol.text


async def test_an_outage_is_logged_once_a_minute_however_many_ask(gateway):
    gateway.models.down()
    async with facing(gateway) as client:
        with capture_logs() as logs:
            for _ in range(3):
                await client.post(PREDICT, json=ASKED)
            gateway.wait(60)
            await client.post(PREDICT, json=ASKED)
    assert len([one for one in logs if one["log_level"] == "warning"]) == 2


async def test_the_bus_is_told_all_of_it(gateway):
    gateway.models.breaks()
    bus = FakeBus()
    async with facing(gateway, bus) as client:
        await client.post(PREDICT, json=ASKED)
        async with asyncio.timeout(10):
            await bus.arrived.wait()
    assert "127.0.0.1" in bus.published[0].event.message
