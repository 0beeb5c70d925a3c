"""What the client of somebody's own API makes of its answers, and of bodies that it fails."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import httpx
import pytest

from ekiben_contracts.models import DType, FeatureSpec
from ekiben_serving.connection import ClientLimits
from ekiben_serving.errors import (
    BadRequestError,
    BadResponseError,
    ModelTransientError,
    ModelUnavailableError,
)
from ekiben_serving.json_client import JSONModelClient
from ekiben_serving.model_client import ModelOutput
from ekiben_serving.splitting import MOST_EXTRA_CALLS, UnresolvedRowError
from ekiben_serving.validation import RowError
from unit.serving.frozen_clock import FrozenClock

POISON = -1.0
Answer = Callable[[list[dict]], httpx.Response]


class Api:
    """Answers bodies by a function of their rows; each call takes a moment of a clock that stands still."""

    def __init__(self, answer: Answer, takes_s: float = 0.0) -> None:
        self.answer = answer
        self.takes_s = takes_s
        self.clock = FrozenClock()
        self.bodies: list[list[dict]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/estimate"
        rows = json.loads(request.content)["flats"]
        self.bodies.append(rows)
        self.clock.now += self.takes_s
        found = self.answer(rows)
        return httpx.Response(
            found.status_code, headers=found.headers, stream=httpx.ByteStream(found.content)
        )

    def client(self, *specs: FeatureSpec, **limits) -> JSONModelClient:
        return JSONModelClient(
            "price",
            "http://price:3000/",
            version="7",
            api="/estimate",
            parameter="flats",
            signature=specs,
            limits=ClientLimits(**limits),
            transport=httpx.MockTransport(self),
            clock=self.clock,
            jitter=lambda: 1.0,
        )


def double(rows: list[dict]) -> httpx.Response:
    """A 500 for the whole body where one row is poison."""
    if any(row["x"] == POISON for row in rows):
        return httpx.Response(500, json={"error": "see the log"})
    return httpx.Response(200, json=[2 * row["x"] for row in rows])


def say(*answers: object, status: int = 200) -> Answer:
    content = json.dumps(answers).encode()
    return lambda _: httpx.Response(status, content=content, headers={"content-type": "application/json"})


def rows(*numbers: float) -> list[dict]:
    return [{"x": number} for number in numbers]


async def test_each_row_has_its_answer_with_the_model_and_version_of_the_file():
    first, second = await Api(double).client().predict_batch(rows(1.0, 2.5))
    assert isinstance(first, ModelOutput)
    assert isinstance(second, ModelOutput)
    assert (first.model, first.version, first.value, second.value) == ("price", "7", 2.0, 5.0)


async def test_a_classifier_may_answer_labels_and_probabilities():
    said = {"value": 0.7, "label": "dear", "probabilities": {"cheap": 0.3, "dear": 0.7}}
    (output,) = await Api(say(said)).client().predict_batch(rows(1))
    assert isinstance(output, ModelOutput)
    assert (output.value, output.label, output.probabilities) == (0.7, "dear", {"cheap": 0.3, "dear": 0.7})


async def test_it_may_answer_errors_by_row():
    said = {"error": {"code": "invalid_request", "message": "no such street"}}
    bad, good = await Api(say(said, 3)).client().predict_batch(rows(1, 2))
    assert bad == RowError("invalid_request", "no such street")
    assert isinstance(good, ModelOutput)


WRONG = [math.nan, math.inf, None, True, "7", {"value": "7"}, {}, [1.0], 10**400]
HALF_A_PAIR = "\ud800"
UNWRITABLE = [
    {"value": 1.0, "label": HALF_A_PAIR},
    {"value": 1.0, "probabilities": {HALF_A_PAIR: 1.0}},
    {"value": 1.0, "probabilities": {}},
]


@pytest.mark.parametrize("wrong", [*WRONG, *UNWRITABLE])
async def test_an_answer_that_is_no_finite_number_costs_its_row_alone(wrong):
    bad, good = await Api(say(wrong, 3)).client().predict_batch(rows(1, 2))
    assert isinstance(bad, RowError)
    assert bad.code == "internal"
    assert "expected a finite number" in bad.message
    assert isinstance(good, ModelOutput)


async def test_a_row_that_the_model_fails_by_is_found_and_the_others_answered():
    api = Api(double)
    numbers = [float(n) for n in range(100)]
    numbers[37] = POISON
    outputs = await api.client().predict_batch(rows(*numbers))
    bad = [row for row, output in enumerate(outputs) if not isinstance(output, ModelOutput)]
    assert bad == [37]
    assert "found 500" in outputs[37].message
    assert [o.value for o in outputs if isinstance(o, ModelOutput)] == [2 * n for n in numbers if n != POISON]


async def test_an_api_that_leaves_bad_rows_out_is_split_too():
    def shorter(asked):
        return httpx.Response(200, json=[2 * row["x"] for row in asked if row["x"] != POISON])

    outputs = await Api(shorter).client().predict_batch(rows(1, POISON, 3, 4))
    assert [isinstance(output, ModelOutput) for output in outputs] == [True, False, True, True]
    assert "expected a JSON list of 1 answers" in outputs[1].message


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (say("no", status=500), ModelTransientError, "found 500"),
        (say("no", status=400), BadRequestError, "Does /estimate take a list of rows named flats?"),
        (say(), BadResponseError, "expected a JSON list of 4 answers, found a list of 0"),
        (lambda _: httpx.Response(200, text="hello"), BadResponseError, "text/plain"),
    ],
)
async def test_where_it_fails_every_part_the_failure_of_the_whole_stands_and_calls_are_bounded(
    answer, error, told
):
    api = Api(answer)
    with pytest.raises(error, match=told):
        await api.client().predict_batch(rows(1, 2, 3, 4))
    assert len(api.bodies) == 7
    api.bodies.clear()
    with pytest.raises(error):
        await api.client().predict_batch(rows(*range(1024)))
    assert len(api.bodies) == 1 + MOST_EXTRA_CALLS


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_one_that_is_away_is_not_asked_in_parts(status):
    api = Api(say("later", status=status))
    with pytest.raises(ModelUnavailableError):
        await api.client().predict_batch(rows(1, 2, 3, 4))
    assert {len(body) for body in api.bodies} == {4}


async def test_splitting_keeps_to_the_budget_and_costs_the_breaker_nothing():
    api = Api(double, takes_s=0.1)
    client = api.client(breaker_failures=1)
    outputs = await client.predict_batch(rows(POISON, *range(1, 64)), budget_s=0.35)
    assert len(api.bodies) == 4
    kinds = {type(output) for output in outputs}
    assert kinds == {ModelOutput, UnresolvedRowError}
    assert isinstance((await client.predict_batch(rows(1)))[0], ModelOutput)


async def test_rows_that_break_the_signature_are_not_sent_nor_names_that_it_does_not_have():
    api = Api(double)
    client = api.client(
        FeatureSpec(name="x", dtype=DType.DOUBLE), FeatureSpec(name="y", dtype=DType.DOUBLE, required=False)
    )
    bad, good = await client.predict_batch([{"x": "far"}, {"x": 1.0, "more": 3}])
    assert isinstance(bad, RowError)
    assert isinstance(good, ModelOutput)
    assert api.bodies == [[{"x": 1.0, "y": None}]]


async def test_without_a_signature_rows_are_sent_as_they_are_but_for_nan():
    api = Api(double)
    bad, good = await api.client().predict_batch([{"x": math.nan}, {"x": 1.0, "more": "a"}])
    assert isinstance(bad, RowError)
    assert "x: expected a finite number, found nan" in bad.message
    assert isinstance(good, ModelOutput)
    assert api.bodies == [[{"x": 1.0, "more": "a"}]]


async def test_a_body_has_at_most_so_many_rows():
    api = Api(double)
    assert len(await api.client(rows_per_call=3).predict_batch(rows(*range(7)))) == 7
    assert [len(body) for body in api.bodies] == [3, 3, 1]


def tell(status: int) -> Answer:
    """A refusal of every body with a row below 3, which quotes the first of them."""

    def answer(asked: list[dict]) -> httpx.Response:
        if any(row["x"] < 3 for row in asked):
            return httpx.Response(status, text=f"cannot use SECRET-{asked[0]['x']:g}")
        return double(asked)

    return answer


def texts(found: list[object]) -> list[str]:
    return [answer.message if isinstance(answer, RowError) else "" for answer in found]


@pytest.mark.parametrize("status", [400, 500])
async def test_what_a_model_says_of_a_row_is_told_to_that_row_alone(status):
    told = texts(await Api(tell(status)).client().predict_batch(rows(*range(100))))

    assert [f"SECRET-{row}" in text for row, text in enumerate(told)] == [True] * 3 + [False] * 97
    assert sum("SECRET" in text for text in told) == 3
    assert all(text.count("SECRET") <= 1 for text in told)


async def test_rows_of_a_part_that_was_not_looked_into_quote_no_row():
    api = Api(tell(400))
    asked = rows(*[1] * 50, *[5] * 50)

    told = texts(await api.client().predict_batch(asked))

    unresolved = [text for text in told if "calls more did not tell which" in text]
    assert unresolved
    assert not any("SECRET" in text for text in unresolved)


@pytest.mark.parametrize("status", [400, 500])
async def test_the_error_of_a_last_body_of_one_row_quotes_it_to_none_of_the_rows_before(status):
    with pytest.raises((BadRequestError, ModelTransientError), match=f"found {status}") as caught:
        await Api(tell(status)).client(rows_per_call=2).predict_batch(rows(5, 6, 1))

    assert "SECRET" not in str(caught.value)


async def test_one_that_is_away_quotes_nothing_for_everybody_who_waits_is_told_why():
    with pytest.raises(ModelUnavailableError, match="found 503") as caught:
        await Api(tell(503)).client().predict_batch(rows(1))

    assert "SECRET" not in str(caught.value)


SECRET = FeatureSpec(name="x", dtype=DType.DOUBLE, sensitive=True)
IN_A_LIST = [{"error": {"code": "invalid_request", "message": "SECRET"}}, "SECRET"]


@pytest.mark.parametrize(
    "answer", [tell(400), tell(500), *map(say, IN_A_LIST), lambda _: httpx.Response(200, json="SECRET")]
)
async def test_nothing_that_a_model_says_is_passed_on_where_a_column_is_sensitive(answer):
    async def told(*specs: FeatureSpec) -> str:
        try:
            return texts(await Api(answer).client(*specs).predict_batch(rows(1)))[0]
        except (BadRequestError, BadResponseError, ModelTransientError) as error:
            return str(error)

    assert "SECRET" in await told()
    hidden = await told(SECRET)
    assert hidden
    assert "SECRET" not in hidden
