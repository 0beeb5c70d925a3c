"""explain=true: what moved the outputs goes with them, and its lack costs nothing but itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from ekiben_bus.verdicts import Emit, Park
from ekiben_inference_gateway.routing import Endpoint
from ekiben_serving.errors import ModelTimeoutError
from ekiben_serving.model_client import Explanation
from ekiben_serving.validation import RowError
from unit.gateway.building import NOW, FakeRoutes, Gateway, ensemble, model, only, received

ATTRIBUTIONS = {"distance": 0.25, "carrier": -0.05, "seats": 0.0}
TIMEOUT = ModelTimeoutError("delay", "http://127.0.0.1:301", "expected an answer within 1 s, found none")

DELAY = Endpoint("delay", "1", "http://127.0.0.1:301")


def explain(row):
    if row["carrier"] == "slow":
        return RowError("internal", "no time was left for it")
    return Explanation("delay", "1", 0.35, 0.15, ATTRIBUTIONS, "late")


@pytest.fixture
def gateway():
    found = Gateway(FakeRoutes.of(model("delay"), model("weather"), ensemble()))
    found.models.client("delay").explain = explain
    return found


def event(verdict):
    assert isinstance(verdict, Emit)
    return only(verdict).event


async def test_who_does_not_ask_gets_none_and_no_model_is_asked_for_it(gateway):
    (verdict,) = await gateway.answer(received())

    assert (event(verdict).explanations, event(verdict).unexplained) == (None, None)
    assert gateway.models.client("delay").explained == []


async def test_only_those_who_ask_are_explained_in_one_call(gateway):
    batch = [received(number, explain=number % 2 == 1) for number in range(5)]

    verdicts = await gateway.answer(*batch)

    assert [event(verdict).explanations for verdict in verdicts] == [
        None,
        {"delay": ATTRIBUTIONS},
        None,
        {"delay": ATTRIBUTIONS},
        None,
    ]
    assert [len(rows) for rows in gateway.models.client("delay").explained] == [2]
    assert len(gateway.models.client("delay").calls[0]) == 5


async def test_each_member_explains_itself_and_one_that_cannot_is_named(gateway):
    (verdict,) = await gateway.answer(received(model="both", explain=True))

    assert event(verdict).explanations == {"delay": ATTRIBUTIONS}
    assert list(event(verdict).unexplained) == ["weather"]
    assert "expected a function that explains" in event(verdict).unexplained["weather"]
    assert len(event(verdict).outputs) == 2


async def test_a_model_that_explains_nothing_is_answered_all_the_same(gateway):
    gateway.models.client("delay").explain = None

    (verdict,) = await gateway.answer(received(explain=True))

    assert event(verdict).explanations is None
    assert "found none" in event(verdict).unexplained["delay"]
    assert event(verdict).outputs[0].value == pytest.approx(0.35)


async def test_a_row_that_cannot_be_explained_costs_its_neighbours_nothing(gateway):
    slow = {"distance": 1400, "carrier": "slow"}

    first, second = await gateway.answer(received(0, explain=True, features=slow), received(1, explain=True))

    assert event(first).unexplained == {"delay": "no time was left for it"}
    assert event(second).explanations == {"delay": ATTRIBUTIONS}


async def test_an_explanation_that_takes_too_long_counts_against_nobody(gateway):
    client = gateway.models.client("delay")

    def too_slow(row):
        raise TIMEOUT

    client.explain = too_slow
    (verdict,) = await gateway.answer(received(explain=True))

    assert event(verdict).unexplained == {"delay": str(TIMEOUT)}
    assert gateway.outages.cover(frozenset({DELAY})) is False
    assert gateway.count("ekiben_model_explain_seconds_count", model="delay", version="1", outcome="timeout")


async def test_what_is_parked_is_not_explained_yet(gateway):
    gateway.models.down("delay")

    verdict, _ = await gateway.answer(received(explain=True), received(1, model="weather"))

    assert isinstance(verdict, Park)
    assert gateway.models.client("delay").explained == []


async def test_more_than_may_be_explained_at_a_time_are_told_so(gateway):
    gateway.explain_rows = 2

    verdicts = await gateway.answer(*(received(number, explain=True) for number in range(3)))

    assert [event(verdict).explanations is None for verdict in verdicts] == [False, False, True]
    assert "at most 2 requests to explain in a batch, found 3" in event(verdicts[2]).unexplained["delay"]


async def test_where_none_may_be_explained_nobody_is_asked(gateway):
    gateway.explain_rows = 0

    (verdict,) = await gateway.answer(received(explain=True))

    assert gateway.models.client("delay").explained == []
    assert "found that this gateway gives none" in event(verdict).unexplained["delay"]
    assert event(verdict).outputs[0].value == pytest.approx(0.35)


async def test_no_longer_is_waited_than_until_the_deadline_and_what_clocks_may_be_off(gateway):
    await gateway.answer(received(explain=True, deadline=NOW - timedelta(seconds=0.5)))

    assert gateway.models.client("delay").budgets_s[-1] == pytest.approx(0.5)


async def test_members_are_asked_at_the_same_time(gateway):
    begun = asyncio.Barrier(2)
    for name in ("delay", "weather"):
        client = gateway.models.client(name)
        client.explain = explain
        _meet(client, begun)

    async with asyncio.timeout(10):
        (verdict,) = await gateway.answer(received(model="both", explain=True))

    assert set(event(verdict).explanations) == {"delay", "weather"}


def _meet(client, begun):
    answer = client.explain_batch

    async def explain_batch(rows, **options):
        await begun.wait()
        return await answer(rows, **options)

    client.explain_batch = explain_batch
