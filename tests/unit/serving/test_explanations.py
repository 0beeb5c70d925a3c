"""Explanations on their way: the frame, and what a client does beyond what every client promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from ekiben_serving.answers import explanations_of
from ekiben_serving.columnar import (
    ColumnarError,
    CutOffError,
    Explained,
    decode_explanation,
    encode_explanation,
)
from ekiben_serving.connection import ClientLimits
from ekiben_serving.errors import BadRequestError, BreakerOpenError, ModelTimeoutError, NoExplainerError
from ekiben_serving.failover import FailoverModelClient
from ekiben_serving.fake_client import FakeModelClient
from ekiben_serving.http_client import HTTPModelClient
from ekiben_serving.model_client import Explanation, ModelOutput
from ekiben_serving.validation import RowError
from unit.serving.columns_server import SIGNATURE, ColumnsServer, serving

EXPLAINED = Explained(
    "delay",
    "3",
    ["x", "y"],
    np.array([0.7, 0.2]),
    np.array([0.4, 0.4]),
    np.array([[0.1, 0.2], [-0.3, 0.1]]),
    classes=["on time", "late"],
    labels=np.array([1, 0]),
)


@pytest.fixture
async def server() -> AsyncIterator[ColumnsServer]:
    async with serving() as found:
        yield found


@pytest.fixture
async def client(server: ColumnsServer) -> AsyncIterator[HTTPModelClient]:
    found = HTTPModelClient("delay", server.url, timeout=20, max_retries=0, signature=SIGNATURE)
    yield found
    await found.close()


def test_what_was_written_is_read():
    first, second = explanations_of(decode_explanation(encode_explanation(EXPLAINED), 2), 1.5)

    assert first == Explanation("delay", "3", 0.7, 0.4, {"x": 0.1, "y": 0.2}, "late", 1.5)
    assert second == Explanation("delay", "3", 0.2, 0.4, {"x": -0.3, "y": 0.1}, "on time", 1.5)


def test_a_regression_is_about_no_class():
    explained = EXPLAINED._replace(classes=(), labels=None)

    found = explanations_of(decode_explanation(encode_explanation(explained), 2), 0)

    assert [getattr(each, "label", "none at all") for each in found] == [None, None]


def test_a_row_with_an_error_costs_no_other():
    explained = EXPLAINED._replace(errors={0: ("internal", "no time")}, labels=np.array([-1, 0]))

    first, second = explanations_of(decode_explanation(encode_explanation(explained), 2), 0)

    assert first == RowError("internal", "no time")
    assert isinstance(second, Explanation)


@pytest.mark.parametrize("part", ["values", "expected", "attributions"])
@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_what_is_not_finite_is_an_error_of_its_row(part: str, number: float):
    numbers = getattr(EXPLAINED, part).copy()
    numbers[1] = number

    body = encode_explanation(EXPLAINED._replace(**{part: numbers}))

    assert list(decode_explanation(body, 2).errors) == [1]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"labels": np.array([1, 2])}, "expected labels from 0 to 1"),
        ({"labels": np.array([-1, 0])}, "expected labels from 0 to 1"),
        ({"features": ["x", 7]}, "features: expected at most"),
        ({"errors": {5: ("internal", "")}}, "with a row below 2"),
        ({"version": 3}, "expected version as str, found 3"),
    ],
)
def test_a_frame_that_cannot_be_is_refused(wrong: dict[str, object], told: str):
    with pytest.raises(ColumnarError, match=told):
        decode_explanation(encode_explanation(EXPLAINED._replace(**wrong)), 2)


def test_a_frame_about_other_rows_is_refused():
    with pytest.raises(ColumnarError, match="expected explanations of 3 rows, found 2"):
        decode_explanation(encode_explanation(EXPLAINED), 3)


def test_a_frame_is_refused_wherever_it_is_cut_off():
    body = encode_explanation(EXPLAINED)
    for end in range(len(body)):
        with pytest.raises(CutOffError):
            decode_explanation(body[:end], 2)
    with pytest.raises(ColumnarError, match="expected a body of"):
        decode_explanation(body + bytes(8), 2)


async def test_the_model_is_told_how_long_it_is_waited_for(server: ColumnsServer, client: HTTPModelClient):
    await client.explain_batch([{"x": 1.0}], budget_s=7.0)

    (told,) = server.budgets_ms
    assert 0 < told <= 7000


async def test_explanations_and_predictions_share_the_call_slots(server: ColumnsServer):
    narrow = HTTPModelClient(
        "delay",
        server.url,
        timeout=20,
        signature=SIGNATURE,
        limits=ClientLimits(concurrent_calls=2),
    )
    rows = [{"x": 1.0}]
    await asyncio.gather(
        *(ask(rows) for ask in (narrow.predict_batch, narrow.explain_batch) for _ in range(10))
    )
    await narrow.close()

    assert server.calls == 20
    assert server.most_under_way <= 2


async def test_a_model_that_hangs_is_a_timeout_within_the_budget(
    server: ColumnsServer, client: HTTPModelClient
):
    server.gate.clear()
    with pytest.raises(ModelTimeoutError, match="/explain_columns"):
        await client.explain_batch([{"x": 1.0}], budget_s=0.1)


async def test_what_hangs_when_it_explains_is_left_alone_with_that_and_predicts_on(
    server: ColumnsServer, client: HTTPModelClient
):
    server.gate.clear()
    for _ in range(ClientLimits().breaker_failures):
        with pytest.raises(ModelTimeoutError, match="/explain_columns"):
            await client.explain_batch([{"x": 1.0}], budget_s=0.05)
    server.gate.set()

    with pytest.raises(BreakerOpenError):
        await client.explain_batch([{"x": 1.0}])
    assert [answer.value for answer in await client.predict_batch([{"x": 1.0}])] == [2.0]
    assert (await client.health()).breaker == "closed"


async def test_a_refusal_that_is_not_404_is_no_lack_of_an_explainer(
    server: ColumnsServer, client: HTTPModelClient
):
    server.refusal = 400
    with pytest.raises(BadRequestError, match="found 400"):
        await client.explain_batch([{"x": 1.0}])


async def test_one_that_only_predicts_is_passed_over_for_one_that_explains():
    def explained(row: object) -> Explanation:
        return Explanation("delay", "3", 2.0, 1.0, {"x": 1.0})

    def predicted(row: object) -> ModelOutput:
        return ModelOutput("delay", "3", 2.0)

    silent, telling = (
        FakeModelClient(SIGNATURE, predicted),
        FakeModelClient(SIGNATURE, predicted, explained),
    )

    assert await FailoverModelClient("delay", [silent, telling]).explain_batch([{"x": 1.0}])
    with pytest.raises(NoExplainerError):
        await FailoverModelClient("delay", [silent, silent]).explain_batch([{"x": 1.0}])
