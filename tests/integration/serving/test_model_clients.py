"""What every ModelClient promises: one suite for the real client and for the fake that stands in for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import pytest

from ekiben_contracts.event import FeatureValue
from ekiben_mlops.inprocess import RegisteredModel
from ekiben_mlops.settings import MlopsSettings
from ekiben_serving.errors import BadRequestError
from ekiben_serving.fake_client import FakeModelClient
from ekiben_serving.http_client import HTTPModelClient
from ekiben_serving.inprocess import InProcessModelClient
from ekiben_serving.json_client import JSONModelClient
from ekiben_serving.model_client import Features, ModelClient, ModelOutput
from ekiben_serving.validation import RowError
from integration.serving.conftest import Logged, Served

ROW: dict[str, FeatureValue] = {
    "distance": 500.0,
    "wind": None,
    "temperature": 3,
    "seats": 100,
    "hour": 7,
    "night": False,
    "carrier": "UA",
}


def _fake_answer(row: Features) -> ModelOutput:
    distance = row["distance"]
    assert isinstance(distance, (int, float))
    return ModelOutput("late", "1", 1 / (1 + distance))


@pytest.fixture(params=["http", "json", "in-process", "fake"])
async def client(
    request: pytest.FixtureRequest, classifier: Logged, served: Served, mlops_settings: MlopsSettings
) -> AsyncIterator[ModelClient]:
    found: ModelClient
    if request.param == "fake":
        found = FakeModelClient(classifier.event.signature, _fake_answer)
    elif request.param == "in-process":
        load = partial(RegisteredModel, settings=mlops_settings)
        found = InProcessModelClient("late", classifier.event.model_uri, load=load)
    elif request.param == "json":
        signature = classifier.event.signature
        found = JSONModelClient(
            "late", served.url, timeout=30, version="1", api="/predict_batch", signature=signature
        )
    else:
        found = HTTPModelClient(
            "late", served.url, timeout=30, version="1", signature=classifier.event.signature
        )
    yield found
    await found.close()


async def test_one_answer_a_row_in_the_order_of_the_rows(client: ModelClient) -> None:
    rows = [{**ROW, "distance": distance} for distance in (100.0, 2900.0, 100.0)]

    first, second, third = await client.predict_batch(rows)

    assert isinstance(first, ModelOutput)
    assert isinstance(second, ModelOutput)
    assert isinstance(third, ModelOutput)
    assert (first.model, first.version) == ("late", "1")
    assert first.value == third.value != second.value


async def test_no_rows_have_no_answers(client: ModelClient) -> None:
    assert list(await client.predict_batch([])) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"carrier": None}, "missing_features"),
        ({"hour": "7"}, "invalid_request"),
        ({"night": 0}, "invalid_request"),
    ],
)
async def test_a_row_that_breaks_the_signature_has_an_error_in_its_place(
    client: ModelClient, change: dict[str, FeatureValue], code: str
) -> None:
    first, second, third = await client.predict_batch([ROW, ROW | change, ROW], budget_s=30.0)

    assert isinstance(first, ModelOutput)
    assert isinstance(second, RowError)
    assert isinstance(third, ModelOutput)
    assert second.code == code


async def test_one_row_is_answered_as_it_is_in_a_batch(client: ModelClient) -> None:
    (batched,) = await client.predict_batch([ROW])
    single = await client.predict("UA1", ROW, "short_term")

    assert isinstance(batched, ModelOutput)
    assert single._replace(latency_ms=0) == batched._replace(latency_ms=0)


async def test_one_row_that_breaks_the_signature_is_a_bad_request(client: ModelClient) -> None:
    with pytest.raises(BadRequestError, match="carrier"):
        await client.predict("UA1", {**ROW, "carrier": None})


async def test_it_says_that_it_is_ready(client: ModelClient) -> None:
    health = await client.health()

    assert health.ready
    assert health.breaker == "closed"


async def test_the_same_model_answers_alike_over_http_and_in_this_process(
    classifier: Logged, served: Served, mlops_settings: MlopsSettings
) -> None:
    rows = [{**ROW, "distance": distance} for distance in (100.0, 1500.0, 2900.0)]
    load = partial(RegisteredModel, settings=mlops_settings)
    near = InProcessModelClient("late", classifier.event.model_uri, load=load)
    far = HTTPModelClient("late", served.url, timeout=30, version="1")

    here, there = await near.predict_batch(rows), await far.predict_batch(rows)
    await near.close()
    await far.close()

    for one, other in zip(here, there, strict=True):
        assert isinstance(one, ModelOutput)
        assert isinstance(other, ModelOutput)
        assert one._replace(latency_ms=0) == other._replace(latency_ms=0)
