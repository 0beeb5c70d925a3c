"""The Predictor itself, where version 1 of the routes does not reach."""

from __future__ import annotations

import asyncio

import pytest

from ekiben_contracts.models import ProblemType, Role
from ekiben_contracts.prediction import FailureCode
from ekiben_inference_gateway.http.microbatches import LaneBounds
from ekiben_inference_gateway.http.predicting import BusyError
from ekiben_inference_gateway.http.scoring_predictor import ScoringPredictor
from ekiben_inference_gateway.refusals import Refusal
from ekiben_inference_gateway.scoring import Scored
from unit.gateway.building import FakeRoutes, Gateway, model, received, version
from unit.gateway.http.facing import core_of

BOUNDS = LaneBounds(100, 1, 100, 1)


@pytest.fixture
def gateway():
    two = model("delay", version("1", 9999), version("2", 1, Role.CHALLENGER), version("3", 0, Role.SHADOW))
    return Gateway(FakeRoutes.of(two, model("weather")))


@pytest.fixture
def predictor(gateway):
    return ScoringPredictor(core_of(gateway), BOUNDS, lambda: "drawn", lambda *_: None)


def ask(name, **rest):
    return received(request_id=name, **rest).event


@pytest.mark.parametrize("wanted", ["1", "2"])
async def test_a_version_that_is_named_is_asked_whatever_its_share(predictor, wanted):
    answers = await predictor.predict([ask(f"r-{n}") for n in range(20)], version=wanted)
    assert [answer.outputs[0].version for answer in answers] == [wanted] * 20


@pytest.mark.parametrize("wanted", ["3", "4"])
async def test_a_version_that_takes_no_traffic_is_not_asked(predictor, gateway, wanted):
    (answer,) = await predictor.predict([ask("r-1")], version=wanted)
    assert isinstance(answer, Refusal)
    assert (answer.code, gateway.models.clients) == (FailureCode.UNKNOWN_MODEL, {})
    assert isinstance(await predictor.find("delay", wanted), Refusal)


async def test_a_model_is_found_with_the_versions_that_take_traffic(predictor, gateway):
    gateway.routes.unread["model/new"] = model("new")
    found = await predictor.find("delay")
    assert [choice.endpoint.version for choice in found.choices] == ["2", "1"]
    assert (found.problem_type, found.classes) == (ProblemType.CLASSIFICATION, ("on_time", "late"))
    assert [choice.endpoint.version for choice in (await predictor.find("delay", "2")).choices] == ["2"]
    assert (await predictor.find("new")).name == "new"


async def test_a_busy_model_takes_nothing_from_the_rows_of_another(predictor, gateway):
    go, begun = asyncio.Event(), asyncio.Event()
    slow, answer = gateway.models.client("delay"), gateway.models.client("delay").predict_batch

    async def hang(rows, **rest):
        begun.set()
        await go.wait()
        return await answer(rows, **rest)

    slow.predict_batch = hang
    first = asyncio.create_task(predictor.predict([ask("r-1")], version="1"))
    await begun.wait()
    second = asyncio.create_task(predictor.predict([ask("r-2")], version="1"))
    await asyncio.sleep(0)
    with pytest.raises(BusyError):
        await predictor.predict([ask("r-3")], version="1")
    mixed = await predictor.predict([ask("r-4"), ask("r-5", model="weather")])
    assert isinstance(mixed[0], Refusal)
    assert (mixed[0].code, isinstance(mixed[1], Scored)) == (FailureCode.MODEL_UNAVAILABLE, True)
    refused = await predictor.predict([ask("r-6"), ask("r-7", model="nobody")])
    assert [one.code for one in refused] == [FailureCode.MODEL_UNAVAILABLE, FailureCode.UNKNOWN_MODEL]
    go.set()
    assert all(isinstance(one, Scored) for found in (await first, await second) for one in found)


async def test_what_waited_past_its_deadline_is_not_asked_any_more(predictor, gateway):
    go, begun = asyncio.Event(), asyncio.Event()
    client = gateway.models.client("weather")
    answer, asked = client.predict_batch, []

    async def hang(rows, **rest):
        asked.append(len(rows))
        begun.set()
        await go.wait()
        return await answer(rows, **rest)

    client.predict_batch = hang
    first = asyncio.create_task(predictor.predict([ask("r-1", model="weather")]))
    await begun.wait()
    late = ask("r-2", model="weather", deadline=gateway.now)
    second = asyncio.create_task(predictor.predict([late, ask("r-3", model="weather")]))
    await asyncio.sleep(0)
    gateway.wait(5)
    go.set()
    await first
    refused, scored = await second
    assert (refused.code, isinstance(scored, Scored), asked) == (
        FailureCode.DEADLINE_EXCEEDED, True, [1, 1],
    )  # fmt: skip


async def test_what_had_its_features_past_its_deadline_is_not_asked_any_more(gateway):
    async def fill_slowly(admitted):
        gateway.wait(5)
        return list(admitted)

    gateway.fill = fill_slowly
    predictor = ScoringPredictor(core_of(gateway), BOUNDS, lambda: "drawn", lambda *_: None)
    late = ask("r-1", model="weather", deadline=gateway.now)
    refused, scored = await predictor.predict([late, ask("r-2", model="weather")])
    assert (refused.code, isinstance(scored, Scored)) == (FailureCode.DEADLINE_EXCEEDED, True)
    assert [len(rows) for rows in gateway.models.client("weather").calls] == [1]
