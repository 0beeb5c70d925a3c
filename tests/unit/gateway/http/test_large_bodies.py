"""A large body is read beside the event loop, and refused before an error is worded for all it holds."""

from __future__ import annotations

import asyncio
import json
from threading import get_ident

import httpx
import pytest

from ekiben_inference_gateway.http import asking
from ekiben_inference_gateway.http.aside import Aside
from ekiben_inference_gateway.http.asking import read_batch, read_request
from ekiben_inference_gateway.http.face import Face
from ekiben_inference_gateway.http.problems import ProblemError
from ekiben_inference_gateway.http.settings import HttpSettings
from ekiben_inference_gateway.http.v2 import routes as v2_routes
from unit.gateway.building import FEATURES, FakeRoutes, Gateway, model
from unit.gateway.http.facing import FakeBus, core_of

DEADLINE_S = 20
ROW = {"model": "delay", "entity_id": "UA1", "features": FEATURES}
WIDE = {**ROW, "request_id": "r-1", "features": {f"f{n}": [] for n in range(1000)}}


@pytest.fixture
def gateway():
    return Gateway(FakeRoutes.of(model("delay")))


@pytest.fixture
def unworded(monkeypatch):
    """Words for errors are too much where a limit is passed."""
    monkeypatch.setattr(asking, "describe", lambda _: pytest.fail("every error of the body was worded"))


async def post(gateway, path, body, ids=lambda: "drawn", **settings):
    face = Face(
        HttpSettings(**settings), core_of(gateway), FakeBus().publish, gateway.registry, lambda: True, ids
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(face.app), base_url="http://gateway"
    ) as client:
        return await client.post(path, json=body)


@pytest.mark.parametrize(("rows", "beside"), [(1, False), (500, True)])
async def test_a_large_batch_is_read_in_a_thread_and_a_small_one_at_once(gateway, rows, beside):
    read_in = set()

    def ids():
        read_in.add(get_ident())
        return f"drawn-{len(read_in)}"

    answer = await post(gateway, "/v1/predictions:batch", {"requests": [ROW] * rows}, ids)
    assert answer.json()["answered"] == rows
    assert len(read_in) == 1
    assert (get_ident() not in read_in) is beside


@pytest.mark.parametrize(("padding", "beside"), [(0, False), (50_000, True)])
async def test_large_tensors_are_read_in_a_thread(gateway, monkeypatch, padding, beside):
    read_in = []
    for name in ("decode", "requests_of"):
        real = getattr(v2_routes, name)
        monkeypatch.setattr(
            v2_routes, name, lambda *args, real=real: (read_in.append(get_ident()), real(*args))[1]
        )
    inputs = [
        {"name": "distance", "shape": [1], "datatype": "FP64", "data": [1.0]},
        {"name": "carrier", "shape": [1], "datatype": "BYTES", "data": ["UA"]},
    ]
    body = {"inputs": inputs, "padding": "." * padding}
    answer = await post(gateway, "/v2/models/delay/infer", body)
    assert answer.status_code == 200, answer.text
    assert len(read_in) == 2
    assert (get_ident() not in read_in) is beside


async def test_large_bodies_are_read_one_after_the_other():
    aside, reading, most = Aside(), 0, []
    begun, go = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def read():
        nonlocal reading
        reading += 1
        most.append(reading)
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(go.wait(), loop).result(DEADLINE_S)
        reading -= 1

    async with asyncio.timeout(DEADLINE_S):
        all_read = asyncio.gather(*(aside.read(1_000_000, read) for _ in range(3)))
        await begun.wait()
        go.set()
        await all_read
    assert most == [1, 1, 1]


def test_too_many_features_are_told_before_each_of_them_is_found_wrong(unworded):
    body = json.dumps(WIDE).encode()
    with pytest.raises(ProblemError, match="at most 999, found 1000") as refused:
        read_request(body, 999, lambda: "drawn")
    assert refused.value.problem.request_id == "r-1"


def test_too_many_features_of_a_row_are_told_before_each_of_them_is_found_wrong(unworded):
    body = json.dumps({"requests": [ROW, WIDE]}).encode()
    good, bad = read_batch(body, 10, 999, lambda: "drawn")
    assert good.model == "delay"
    assert (bad.request_id, bad.code) == ("r-1", "invalid_request")
    assert "at most 999, found 1000" in bad.detail


@pytest.mark.parametrize("most", [1, 2, 3])
def test_the_shortest_features_are_counted(most):
    body = (
        b'{"model":"m","entity_id":"e","features":{'
        + b",".join(b'"%d":1' % n for n in range(most + 1))
        + b"}}"
    )
    with pytest.raises(ProblemError, match=f"at most {most}, found {most + 1}"):
        read_request(body, most, lambda: "drawn")
