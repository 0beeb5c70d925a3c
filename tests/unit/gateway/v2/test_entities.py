"""Which entity a feature store is asked about, for rows that come over the protocol."""

from __future__ import annotations

import pytest

from unit.gateway.building import FakeRoutes, Gateway, model
from unit.gateway.features.stores import KNOWN, flights_store, lanes
from unit.gateway.http.facing import facing
from unit.gateway.v2.asking import tensor

INFER = "/v2/models/delay/infer"
CARRIERS = tensor("carrier", datatype="BYTES", data=["AA", "AA"])
DISTANCES = tensor(data=[10, 20])
ENTITIES = tensor("entity_id", datatype="BYTES", data=["UA1", "UA2"])


@pytest.fixture
def store():
    return flights_store()


@pytest.fixture
def gateway():
    return Gateway(FakeRoutes.of(model("delay", feature_service="flights")))


async def infer(gateway, store, *inputs, **rest):
    async with lanes(store) as found:
        gateway.fill = found.main
        async with facing(gateway) as client:
            return await client.post(INFER, json={"inputs": list(inputs), **rest})


@pytest.mark.parametrize("told", [{"id": "UA1"}, {}])
async def test_the_id_of_a_request_is_no_entity_and_what_is_optional_is_not_missed(gateway, store, told):
    answer = await infer(gateway, store, DISTANCES, CARRIERS, **told)
    assert answer.status_code == 200, answer.text
    (rows,) = gateway.models.client("delay").calls
    assert rows == [{"distance": 10.0, "carrier": "AA"}, {"distance": 20.0, "carrier": "AA"}]


async def test_rows_that_name_no_entity_are_told_what_they_lack(gateway, store):
    answer = await infer(gateway, store, DISTANCES, id="UA1")
    assert (answer.status_code, answer.json()["code"]) == (422, "missing_features")
    assert "expected the features carrier of delay" in answer.json()["error"]
    assert gateway.models.clients == {}


async def test_rows_that_name_their_entity_have_its_features(gateway, store):
    answer = await infer(gateway, store, tensor("entity_id", [1], "BYTES", data=["UA1"]), id="UA2")
    assert answer.status_code == 200, answer.text
    ((row,),) = gateway.models.client("delay").calls
    assert row == {**KNOWN, "seats": 149.0}


async def test_an_entity_alone_is_missing_features_where_no_store_has_them(store):
    gateway = Gateway(FakeRoutes.of(model("delay")))
    answer = await infer(gateway, store, ENTITIES)
    assert (answer.status_code, answer.json()["code"]) == (422, "missing_features")
