"""The promises of every ModelClient, on a real model: in a Bento, in this process, and both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest
from msgspec.structs import replace

from conformance.model_clients import ExplanationPromises, ModelClientPromises, Subject
from ekiben_contracts.event import FeatureValue
from ekiben_mlops.inprocess import RegisteredModel
from ekiben_mlops.settings import MlopsSettings
from ekiben_serving.failover import FailoverModelClient
from ekiben_serving.http_client import HTTPModelClient
from ekiben_serving.inprocess import InProcessModelClient
from ekiben_serving.json_client import JSONModelClient
from ekiben_serving.model_client import ModelClient, ModelOutput
from ekiben_serving.validation import RowError
from integration.served import ROW, Logged, Served
from unit.serving.columns_server import closed_port

Open = Callable[[str, str], ModelClient]
"""A client by its kind, of a version."""
IDENTIFIED = ["http", "in-process", "http, then in-process", "in-process while http is away"]


@pytest.fixture
def subject() -> Subject:
    return Subject("late", "1", ROW, "distance")


@pytest.fixture
def opened(classifier: Logged, served: Served, mlops_settings: MlopsSettings) -> Open:
    signature, uri = classifier.event.signature, classifier.event.model_uri
    load = partial(RegisteredModel, settings=mlops_settings)

    def http(version: str, url: str = served.url) -> HTTPModelClient:
        return HTTPModelClient("late", url, timeout=30, max_retries=0, version=version, signature=signature)

    def here(version: str) -> InProcessModelClient:
        return InProcessModelClient("late", uri, version=version, load=load)

    def open_(kind: str, version: str) -> ModelClient:
        match kind:
            case "http":
                return http(version)
            case "json":
                return JSONModelClient(
                    "late",
                    served.url,
                    timeout=30,
                    version=version,
                    api="/predict_batch",
                    signature=signature,
                )
            case "in-process":
                return here(version)
            case "http, then in-process":
                return FailoverModelClient("late", [http(version), here(version)])
            case _:
                return FailoverModelClient("late", [http(version, closed_port()), here(version)])

    return open_


class TestOnARealModel(ModelClientPromises, ExplanationPromises):
    @pytest.fixture(params=IDENTIFIED)
    async def explaining(self, request: pytest.FixtureRequest, opened: Open) -> AsyncIterator[ModelClient]:
        found = opened(request.param, "1")
        yield found
        await found.close()

    @pytest.fixture(params=["json"])
    async def unexplaining(self, request: pytest.FixtureRequest, opened: Open) -> AsyncIterator[ModelClient]:
        found = opened(request.param, "1")
        yield found
        await found.close()

    @pytest.fixture(params=[*IDENTIFIED, "json"])
    async def client(self, request: pytest.FixtureRequest, opened: Open) -> AsyncIterator[ModelClient]:
        found = opened(request.param, "1")
        yield found
        await found.close()

    @pytest.fixture(params=IDENTIFIED)
    async def misled(self, request: pytest.FixtureRequest, opened: Open) -> AsyncIterator[ModelClient]:
        found = opened(request.param, "99")
        yield found
        await found.close()

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"carrier": None}, "missing_features"),
            ({"hour": "7"}, "invalid_request"),
            ({"night": 0}, "invalid_request"),
        ],
    )
    async def test_columns_of_every_type_are_checked(
        self, client: ModelClient, change: dict[str, FeatureValue], code: str
    ):
        first, second, third = await client.predict_batch([ROW, ROW | change, ROW], budget_s=30.0)

        assert isinstance(first, ModelOutput)
        assert isinstance(second, RowError)
        assert isinstance(third, ModelOutput)
        assert second.code == code


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
        assert replace(one, latency_ms=0) == replace(other, latency_ms=0)
