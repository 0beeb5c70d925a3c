"""The same step over HTTP: concurrent requests share a read, and nobody waits for a store that is away."""

from __future__ import annotations

import asyncio

import pytest

from ekiben_serving.features.errors import FeatureStoreError
from unit.gateway.building import FakeRoutes, Gateway, model
from unit.gateway.features.stores import KNOWN, flights_store, lanes
from unit.gateway.http.facing import FakeBus, facing, problem_of

PREDICT, BATCH = "/v1/predictions", "/v1/predictions:batch"
ASKED = {"model": "delay", "entity_id": "UA1"}


@pytest.fixture
def store():
    return flights_store()


@pytest.fixture
def gateway():
    return Gateway(FakeRoutes.of(model("delay", feature_service="flights")))


async def test_what_a_request_leaves_out_is_filled_and_published(gateway, store):
    bus = FakeBus()
    async with lanes(store) as found:
        gateway.fill = found.main
        async with facing(gateway, bus) as client:
            answer = await client.post(PREDICT, json={**ASKED, "features": {"distance": 4000}})
            async with asyncio.timeout(10):
                while not bus.published:
                    await asyncio.sleep(0.005)
    assert answer.status_code == 200, answer.text
    (rows,) = gateway.models.client("delay").calls
    assert rows == [{**KNOWN, "seats": 149.0, "distance": 4000}]
    assert bus.published[0].event.features == rows[0]


async def test_rows_of_one_body_are_one_read_and_one_that_lacks_is_named(gateway, store):
    async with lanes(store) as found:
        gateway.fill = found.main
        async with facing(gateway) as client:
            rows = [ASKED, {**ASKED, "entity_id": "nobody"}, {**ASKED, "entity_id": "OLD"}, ASKED]
            results = (await client.post(BATCH, json={"requests": rows})).json()["results"]
    assert [one["prediction"] is not None for one in results] == [True, False, False, True]
    assert "routes has never seen entity 'nobody'" in str(results[1])
    assert "3660 s old" in str(results[2])
    assert store.reads == [("flights", 4)]


async def test_an_entity_that_the_store_has_never_seen_is_a_problem_with_its_code(gateway, store):
    async with lanes(store) as found:
        gateway.fill = found.main
        async with facing(gateway) as client:
            answer = await client.post(PREDICT, json={**ASKED, "entity_id": "nobody"})
    assert answer.status_code == 422
    assert problem_of(answer)["code"] == "missing_features"
    assert "carrier, distance, seats of delay" in problem_of(answer)["detail"]
    assert "dead letter" not in problem_of(answer)["detail"]


async def test_a_store_that_is_away_is_told_at_once(gateway, store):
    store.failure = FeatureStoreError("the store is away")
    async with lanes(store) as found:
        gateway.fill = found.main
        async with facing(gateway) as client:
            answer = await client.post(PREDICT, json=ASKED)
    assert answer.status_code == 503
    assert problem_of(answer)["code"] == "model_unavailable"
