"""The promises of every ModelClient, on a toy model: behind a real socket, in this process, and both."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from conformance.model_clients import ExplanationPromises, ModelClientPromises, Subject
from ekiben_serving.endpoints import ModelClientFactory, ModelEndpoints, StaticEndpoint
from ekiben_serving.fake_client import FakeModelClient
from ekiben_serving.model_client import Explanation, Features, ModelClient, ModelOutput
from unit.serving.columns_server import (
    SIGNATURE,
    ColumnsServer,
    closed_port,
    doubled,
    doubled_explained,
    serving,
)
from unit.serving.test_watching import Notes

IN_PROCESS = StaticEndpoint(model_uri="models:/delay/3")


class Doubling:
    """What the server is, without a server."""

    model, version, signature = "delay", "3", SIGNATURE

    def answer_columns(self, body: bytes) -> bytes:
        return doubled(body)


class Explaining(Doubling):
    """The same, and it explains itself."""

    def explain_columns(self, body: bytes, budget_s: float | None) -> bytes:
        return doubled_explained(body)


def _fake_answer(row: Features) -> ModelOutput:
    x = row["x"]
    assert isinstance(x, (int, float))
    return ModelOutput("delay", "3", x * 2)


def _fake_explanation(row: Features) -> Explanation:
    value = _fake_answer(row).value
    return Explanation("delay", "3", value, 1.0, {"x": value - 1.0})


@pytest.fixture
async def server() -> AsyncIterator[ColumnsServer]:
    async with serving() as found:
        yield found


@pytest.fixture
def subject() -> Subject:
    return Subject("delay", "3", {"x": 1.0}, "x")


def opened(kind: str, server: ColumnsServer, version: str = "3", *, old: bool = False) -> ModelClient:
    """An `old` one is of before there were explanations."""
    if kind == "fake":
        return FakeModelClient(SIGNATURE, _fake_answer, None if old else _fake_explanation)
    http = StaticEndpoint(url=server.url, timeout_s=30)
    away = StaticEndpoint(url=closed_port(), timeout_s=30, max_retries=0)
    endpoints = {
        "http": [http],
        "http, its signature learned": [http],
        "json": [StaticEndpoint(url=server.url, timeout_s=30, api="/predict")],
        "in-process": [IN_PROCESS],
        "http, then in-process": [http, IN_PROCESS],
        "in-process while http is away": [away, IN_PROCESS],
        "watched": [http],
    }[kind]
    watch = (lambda *of: Notes(of)) if kind == "watched" else None
    factory = ModelClientFactory(
        ModelEndpoints(), load=lambda uri: Doubling() if old else Explaining(), watch=watch
    )
    return factory.build("delay", version, endpoints, None if "learned" in kind else SIGNATURE)


IDENTIFIED = [
    "http",
    "http, its signature learned",
    "in-process",
    "http, then in-process",
    "in-process while http is away",
    "watched",
]
"""What they ask says which version it is; a foreign API does not."""


EXPLAINING = [*IDENTIFIED, "fake"]
"""A foreign API predicts alone."""


class TestOnToys(ModelClientPromises, ExplanationPromises):
    @pytest.fixture(params=EXPLAINING)
    async def explaining(
        self, request: pytest.FixtureRequest, server: ColumnsServer
    ) -> AsyncIterator[ModelClient]:
        found = opened(request.param, server)
        yield found
        await found.close()

    @pytest.fixture(params=["json", "http, old", "in-process, old", "fake, old"])
    async def unexplaining(
        self, request: pytest.FixtureRequest, server: ColumnsServer
    ) -> AsyncIterator[ModelClient]:
        kind, _, old = request.param.partition(", ")
        server.explains = not old
        found = opened(kind, server, old=bool(old))
        yield found
        await found.close()

    @pytest.fixture(params=[*IDENTIFIED, "json", "fake"])
    async def client(
        self, request: pytest.FixtureRequest, server: ColumnsServer
    ) -> AsyncIterator[ModelClient]:
        found = opened(request.param, server)
        yield found
        await found.close()

    @pytest.fixture(params=IDENTIFIED)
    async def misled(
        self, request: pytest.FixtureRequest, server: ColumnsServer
    ) -> AsyncIterator[ModelClient]:
        found = opened(request.param, server, version="99")
        yield found
        await found.close()
