"""One whole gateway over HTTP, on a socket, before a real Bento: asked, attacked and stopped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import httpx
import pytest

from ekiben_bus.service import Service
from ekiben_contracts.prediction import ModelsScored
from ekiben_contracts.topics import MODEL_OUTPUTS, PREDICTION_RESULTS
from ekiben_inference_gateway.app import build
from ekiben_inference_gateway.http.server import ListenError
from ekiben_inference_gateway.http.settings import HttpSettings
from ekiben_inference_gateway.settings import GatewaySettings
from ekiben_synthesizer.app import build as build_synthesizer
from ekiben_synthesizer.settings import SynthesizerSettings
from integration.gateway.asking import FEATURES, route
from integration.served import Logged, Served, free_port
from unit.gateway.building import ensemble
from unit.in_memory import QUICK, Kafka, running, until

PREDICT, BATCH = "/v1/predictions", "/v1/predictions:batch"
AT_A_TIME = 200
JSON = {"content-type": "application/json"}
ASKED: dict[str, Any] = {"request_id": "r-1", "model": "late", "entity_id": "UA1", "features": FEATURES}


@pytest.fixture
def kafka(classifier: Logged, served: Served) -> Kafka:
    kafka = Kafka()
    kafka.route(route(classifier.event, served.url), ensemble("both", ["late", "absent"]))
    return kafka


@asynccontextmanager
async def gateway(kafka: Kafka, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway that runs, the synthesizer beside it."""
    async with gateway_itself(kafka, **settings) as (_, client):
        yield client


@asynccontextmanager
async def gateway_itself(kafka: Kafka, **settings: Any) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
    """The same, and the gateway with it."""
    http = HttpSettings(port=free_port(), **settings)
    patient = GatewaySettings(call_budget_s=20.0, call_target_s=20.0)
    services = [
        build(patient, QUICK, kafka.cluster, http=http),
        build_synthesizer(SynthesizerSettings(), QUICK, kafka.cluster),
    ]
    url = f"http://127.0.0.1:{http.port}"
    limits = httpx.Limits(max_connections=AT_A_TIME)
    async with running(*services), httpx.AsyncClient(base_url=url, timeout=30, limits=limits) as client:
        await listening(client)
        yield services[0], client


async def listening(client: httpx.AsyncClient) -> None:
    """Wait until it answers at all."""
    async with asyncio.timeout(30):
        while True:
            try:
                await client.get("/openapi.json")
            except httpx.ConnectError:
                await asyncio.sleep(0.02)
            else:
                return


async def test_a_model_answers_over_http_what_its_own_bento_does_and_the_bus_hears_of_it(
    kafka: Kafka, classifier: Logged
) -> None:
    async with gateway(kafka) as client:
        answer = (await client.post(PREDICT, json=ASKED)).json()
        (completed,) = await kafka.events(PREDICTION_RESULTS, 1)
    assert answer["version"] == classifier.event.version
    assert answer["probabilities"][answer["label"]] >= 0.5
    assert completed.request_id == "r-1"
    assert completed.prediction == answer["prediction"]


async def test_many_at_a_time_are_asked_in_few_calls_and_each_gets_its_own_answer(
    kafka: Kafka, served: Served
) -> None:
    rows = [
        {**ASKED, "request_id": f"r-{n}", "features": {**FEATURES, "distance": 100.0 + n}}
        for n in range(AT_A_TIME)
    ]
    async with gateway_itself(kafka) as (itself, client):
        under_way = partial(itself.registry.get_sample_value, "ekiben_http_requests_under_way")
        served.worker().suspend()  # until all are there, however long a busy machine takes to send them
        try:
            asking = [asyncio.create_task(client.post(PREDICT, json=row)) for row in rows]
            await until(lambda: under_way() == AT_A_TIME)
        finally:
            served.worker().resume()
        together = await asyncio.gather(*asking)
        batch = (await client.post(BATCH, json={"requests": rows})).json()
        events = await kafka.events(MODEL_OUTPUTS, 400)
    assert [one.json()["request_id"] for one in together] == [row["request_id"] for row in rows]
    assert [one.json()["prediction"] for one in together] == [
        one["prediction"]["prediction"] for one in batch["results"]
    ]
    latencies = {one.json()["latency_ms"] for one in together}  # one for each call
    assert len(latencies) < AT_A_TIME / 10
    assert {event.request_id for event in events if isinstance(event, ModelsScored)} == {
        row["request_id"] for row in rows
    }


async def test_health_and_models_tell_what_is_there(kafka: Kafka, served: Served) -> None:
    async with gateway(kafka) as client:
        models = (await client.get("/v1/models")).json()["models"]
        health = (await client.get("/v1/models/late/health")).json()
        await asyncio.to_thread(served.stop)
        try:
            away = (await client.get("/v1/models/late/health")).json()
            refused = await client.post(PREDICT, json=ASKED)
        finally:
            await asyncio.to_thread(served.start)
    assert [one["name"] for one in models] == ["late"]
    assert (health["ready"], health["endpoints"][0]["url"]) == (True, served.url)
    assert away["ready"] is False
    assert (refused.status_code, refused.json()["code"]) == (503, "model_unavailable")
    assert refused.headers["retry-after"]


async def test_an_address_that_is_taken_is_named(kafka: Kafka) -> None:
    async with gateway(kafka) as client:
        port = client.base_url.port
        with pytest.raises(ListenError, match=f"port {port} "):
            await build(GatewaySettings(), QUICK, kafka.cluster, http=HttpSettings(port=port)).serve()


async def test_the_document_s_own_example_is_a_request_that_is_read(kafka: Kafka) -> None:
    async with gateway(kafka) as client:
        document = (await client.get("/openapi.json")).json()
        body = document["paths"][PREDICT]["post"]["requestBody"]["content"]["application/json"]
        answer = await client.post(PREDICT, content=json.dumps(body["example"]), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_model")
