"""What a watch is told of the calls to each endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from ekiben_contracts.health import BreakerState
from ekiben_serving.endpoints import ModelClientFactory, ModelEndpoints
from ekiben_serving.errors import ModelClientError, ModelTimeoutError
from ekiben_serving.fake_client import FakeModelClient
from ekiben_serving.model_client import Features, ModelOutput
from ekiben_serving.validation import RowError
from ekiben_serving.watching import WatchedModelClient
from unit.serving.columns_server import SIGNATURE, serving
from unit.serving.frozen_clock import FrozenClock
from unit.serving.test_inprocess import Doubling


@dataclass
class Notes:
    """A watch that writes down what it is told."""

    of: tuple[str, str, str] = ("delay", "3", "")
    calls: list[tuple[int, float, str, dict[str, int]]] = field(default_factory=list)
    turns: list[BreakerState] = field(default_factory=list)
    is_closed: bool = False

    def called(self, rows: int, seconds: float, outcome: str, row_errors: Mapping[str, int]) -> None:
        self.calls.append((rows, seconds, outcome, dict(row_errors)))

    def breaker_turned(self, state: BreakerState) -> None:
        self.turns.append(state)

    def closed(self) -> None:
        self.is_closed = True


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def model(clock: FrozenClock) -> FakeModelClient:
    """Takes two seconds a row; negative rows fail alone."""

    def answer(row: Features) -> ModelOutput | RowError:
        clock.now += 2.0
        x = row["x"]
        assert isinstance(x, float)
        return RowError("internal", "NaN") if x < 0 else ModelOutput("delay", "3", x)

    return FakeModelClient(SIGNATURE, answer)


async def test_a_call_is_told_once_with_its_rows_and_how_long_it_took(
    model: FakeModelClient, notes: Notes, clock: FrozenClock
) -> None:
    await WatchedModelClient(model, notes, clock=clock).predict_batch([{"x": 1.0}] * 3)
    assert notes.calls == [(3, 6.0, "answered", {})]


async def test_rows_that_fail_alone_are_told_by_their_code(
    model: FakeModelClient, notes: Notes, clock: FrozenClock
) -> None:
    rows = [{"x": 1.0}, {"x": -1.0}, {"x": None}, {"x": -2.0}]
    await WatchedModelClient(model, notes, clock=clock).predict_batch(rows)
    assert notes.calls == [(4, 6.0, "answered", {"internal": 2, "missing_features": 1})]


@pytest.mark.parametrize("kind", ModelClientError.__subclasses__())
async def test_a_call_that_fails_is_told_by_the_kind_of_its_error(
    kind: type[ModelClientError], model: FakeModelClient, notes: Notes, clock: FrozenClock
) -> None:
    model.failure = kind("delay", "http://a", "failed")
    client = WatchedModelClient(model, notes, clock=clock)
    with pytest.raises(kind):
        await client.predict_batch([{"x": 1.0}] * 3)
    with pytest.raises(kind):
        await client.predict("e", {"x": 1.0})
    assert notes.calls == [(3, 0.0, kind.kind, {}), (1, 0.0, kind.kind, {})]


def test_every_error_has_a_kind_of_its_own() -> None:
    def below(error: type[ModelClientError]) -> list[type[ModelClientError]]:
        return [error, *(each for child in error.__subclasses__() for each in below(child))]

    told = [each for each in below(ModelClientError) if each.__subclasses__() == []]
    assert ModelTimeoutError in told
    assert len({each.kind for each in told}) == len(told)


async def test_a_call_that_is_given_up_is_not_told(notes: Notes) -> None:
    async with serving() as server:
        server.gate.clear()
        endpoints = ModelEndpoints.model_validate(
            {"models": {"delay": {"version": "3", "endpoints": [{"url": server.url}]}}}
        )
        factory = ModelClientFactory(endpoints, watch=lambda *of: notes)
        call = asyncio.create_task(factory.client("delay").predict_batch([{"x": 1.0}]))
        while not server.under_way:
            await asyncio.sleep(0.001)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        assert notes.calls == []
        await factory.close()


async def test_every_endpoint_of_a_model_has_a_watch_of_its_own() -> None:
    opened: list[Notes] = []

    def watch(*of: str) -> Notes:
        opened.append(Notes(of))
        return opened[-1]

    class Third(Doubling):
        version = "3"

    async with serving() as server:
        endpoints = ModelEndpoints.model_validate(
            {
                "models": {
                    "delay": {
                        "version": "3",
                        "endpoints": [
                            {"url": server.url, "max_retries": 0},
                            {"model_uri": "models:/delay/3"},
                        ],
                    }
                }
            }
        )
        factory = ModelClientFactory(endpoints, load=lambda uri: Third(), watch=watch)
        client = factory.client("delay")
        await client.predict_batch([{"x": 1.0}])
        server.refusal = 503
        for _ in range(7):
            await client.predict_batch([{"x": 1.0}])
        await factory.close()

    far, near = opened
    assert far.of == ("delay", "3", server.url)
    assert near.of == ("delay", "3", "models:/delay/3")
    outcomes = [outcome for _, _, outcome, _ in far.calls]
    assert outcomes == ["answered", *["unavailable"] * 5, *["breaker_open"] * 2]
    assert [outcome for _, _, outcome, _ in near.calls] == ["answered"] * 7
    assert (far.turns, near.turns) == ([BreakerState.OPEN], [])
    assert far.is_closed
    assert near.is_closed
