"""Which of several clients answers."""

from __future__ import annotations

import pytest

from ekiben_contracts.models import DType, FeatureSpec
from ekiben_serving.errors import BadRequestError, BadResponseError, ModelUnavailableError
from ekiben_serving.failover import FailoverModelClient
from ekiben_serving.fake_client import FakeModelClient
from ekiben_serving.model_client import ModelOutput
from unit.serving.frozen_clock import FrozenClock

SIGNATURE = [FeatureSpec(name="x", dtype=DType.DOUBLE)]
DOWN = ModelUnavailableError("delay", "http://a", "away")
ROWS = [{"x": 1.0}]


def fake(version: str) -> FakeModelClient:
    return FakeModelClient(SIGNATURE, lambda row: ModelOutput("delay", version, 0.5))


async def test_the_first_answers_while_it_can():
    first, second = fake("far"), fake("near")
    (answer,) = await FailoverModelClient("delay", [first, second]).predict_batch(ROWS)
    assert answer.version == "far"
    assert second.calls == []


async def test_the_next_answers_while_the_first_is_away_and_the_first_again_when_it_is_back():
    first, second = fake("far"), fake("near")
    client = FailoverModelClient("delay", [first, second])
    first.failure = DOWN
    (meanwhile,) = await client.predict_batch(ROWS)
    first.failure = None
    (afterwards,) = await client.predict_batch(ROWS)
    assert (meanwhile.version, afterwards.version) == ("near", "far")


async def test_where_none_can_answer_the_last_one_says_why():
    first, second = fake("far"), fake("near")
    first.failure, second.failure = DOWN, ModelUnavailableError("delay", "here", "not loaded")
    with pytest.raises(ModelUnavailableError, match="not loaded"):
        await FailoverModelClient("delay", [first, second]).predict_batch(ROWS)


async def test_an_answer_that_cannot_be_used_is_not_asked_for_elsewhere():
    first, second = fake("far"), fake("near")
    first.failure = BadResponseError("delay", "http://a", "no columns")
    with pytest.raises(BadResponseError):
        await FailoverModelClient("delay", [first, second]).predict_batch(ROWS)
    assert second.calls == []


async def test_one_that_hangs_leaves_the_next_half_of_the_budget():
    first, second, clock = fake("far"), fake("near"), FrozenClock()
    first.failure = DOWN
    await FailoverModelClient("delay", [first, second], clock=clock).predict_batch(ROWS, budget_s=1.0)
    assert first.budgets_s == [0.5]
    assert second.budgets_s == [1.0]


async def test_a_row_that_breaks_the_signature_is_a_bad_request():
    with pytest.raises(BadRequestError, match=r"model delay.*x"):
        await FailoverModelClient("delay", [fake("far")]).predict("e", {"x": "text"})


async def test_it_is_ready_while_any_is():
    first, second = fake("far"), fake("near")
    first.failure = DOWN
    assert (await FailoverModelClient("delay", [first, second]).health()).ready


async def test_all_are_closed():
    clients = [fake("far"), fake("near")]
    await FailoverModelClient("delay", clients).close()
    assert [client.closed for client in clients] == [True, True]


def test_of_none_there_is_no_client():
    with pytest.raises(ValueError, match="at least one client"):
        FailoverModelClient("delay", [])
