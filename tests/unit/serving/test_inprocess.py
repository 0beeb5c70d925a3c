"""What a model in this process does when it is not as it should be."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from ekiben_contracts.models import DType, FeatureSpec
from ekiben_serving.columnar import Answer, decode_columns, encode_answer
from ekiben_serving.errors import (
    BadRequestError,
    BadResponseError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from ekiben_serving.inprocess import InProcessModelClient
from ekiben_serving.loading import load_registered

URI = "models:/delay/1"


class Doubling:
    """A model of one column that doubles it."""

    model, version = "delay", "1"
    signature: Sequence[FeatureSpec] = (FeatureSpec(name="x", dtype=DType.DOUBLE),)

    def answer_columns(self, body: bytes) -> bytes:
        return encode_answer(Answer("delay", "1", np.asarray(decode_columns(body)["x"].values) * 2))


def client(model: Doubling) -> InProcessModelClient:
    return InProcessModelClient("delay", URI, load=lambda uri: model)


async def test_it_is_loaded_once_by_its_uri_when_it_is_first_asked():
    asked: list[str] = []

    def load(uri: str) -> Doubling:
        asked.append(uri)
        return Doubling()

    found = InProcessModelClient("delay", URI, load=load)
    assert asked == []
    await found.predict_batch([{"x": 1.0}])
    assert [answer.value for answer in await found.predict_batch([{"x": 2.0}])] == [4.0]
    assert asked == [URI]


async def test_one_that_cannot_be_loaded_is_unavailable_and_loaded_again_at_the_next_call():
    failures = [OSError("no such registry")]

    def load(uri: str) -> Doubling:
        if failures:
            raise failures.pop()
        return Doubling()

    found = InProcessModelClient("delay", URI, load=load)
    with pytest.raises(ModelUnavailableError, match="no such registry"):
        await found.predict_batch([{"x": 1.0}])
    assert (await found.health()).ready


async def test_one_that_is_another_model_is_not_asked():
    found = InProcessModelClient("weather", URI, load=lambda uri: Doubling())
    assert not (await found.health()).ready
    with pytest.raises(ModelUnavailableError, match="expected weather of any version, found delay 1"):
        await found.predict("e", {"x": 1.0})


async def test_one_that_is_another_version_is_not_asked_and_may_be_the_right_one_later():
    found = InProcessModelClient("delay", URI, version="2", load=lambda uri: versions.pop())
    old, new = Doubling(), Doubling()
    new.version = "2"
    versions = [new, old]
    with pytest.raises(ModelUnavailableError, match="expected delay 2, found delay 1"):
        await found.predict_batch([{"x": 1.0}])
    assert (await found.health()).ready


async def test_one_that_takes_too_long_is_too_slow():
    proceed = threading.Event()

    class Slow(Doubling):
        def answer_columns(self, body: bytes) -> bytes:
            proceed.wait(30)
            return super().answer_columns(body)

    found = client(Slow())
    try:
        with pytest.raises(ModelTimeoutError, match=r"within 0\.05 s"):
            await found.predict_batch([{"x": 1.0}], budget_s=0.05)
    finally:
        proceed.set()


@pytest.mark.parametrize(
    ("error", "expected"), [(ValueError("columns"), BadRequestError), (KeyError("bug"), BadResponseError)]
)
async def test_what_it_raises_is_named(error: Exception, expected: type[Exception]):
    class Raising(Doubling):
        def answer_columns(self, body: bytes) -> bytes:
            raise error

    with pytest.raises(expected, match=str(error.args[0])):
        await client(Raising()).predict_batch([{"x": 1.0}])


async def test_an_answer_to_other_rows_is_a_bad_response():
    class Short(Doubling):
        def answer_columns(self, body: bytes) -> bytes:
            return encode_answer(Answer("delay", "1", np.zeros(1)))

    with pytest.raises(BadResponseError, match="expected answers to 2 rows, found 1"):
        await client(Short()).predict_batch([{"x": 1.0}, {"x": 2.0}])


async def test_a_uri_that_nothing_installed_loads_says_so():
    with pytest.raises(ModelUnavailableError, match="expected something that loads ftp"):
        load_registered("ftp://models/delay")
