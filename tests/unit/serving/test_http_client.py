"""What the client makes of an endpoint that refuses, stumbles, lies or says too much."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import numpy as np
import pytest

from ekiben_contracts.models import DType, FeatureSpec
from ekiben_serving.columnar import ANSWER_TYPE, Answer, decode_columns, encode_answer
from ekiben_serving.connection import ClientLimits
from ekiben_serving.errors import (
    BadRequestError,
    BadResponseError,
    BreakerOpenError,
    ModelClientError,
    ModelTimeoutError,
    ModelTransientError,
    ModelUnavailableError,
)
from ekiben_serving.http_client import HTTPModelClient
from ekiben_serving.model_client import ModelOutput
from ekiben_serving.validation import RowError
from unit.serving.frozen_clock import FrozenClock

SIGNATURE = [FeatureSpec(name="x", dtype=DType.DOUBLE)]
ROWS = [{"x": 1.0}, {"x": 2.0}]
Handler = Callable[[httpx.Request], httpx.Response]


class Endpoint:
    """Answers by a list of responses, the last again and again; keeps what it was asked."""

    def __init__(self, *responses: httpx.Response | Exception | Handler) -> None:
        self.responses = list(responses)
        self.requests: list[httpx.Request] = []
        self.clock = FrozenClock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        response = self.responses[min(len(self.requests), len(self.responses)) - 1]
        if isinstance(response, Exception):
            raise response
        return _unread(response if isinstance(response, httpx.Response) else response(request))

    def client(
        self,
        limits: ClientLimits | None = None,
        *,
        described: bool = False,
        url: str = "http://delay:3000/",
    ) -> HTTPModelClient:
        return HTTPModelClient(
            "delay",
            url,
            version=None if described else "3",
            signature=None if described else SIGNATURE,
            limits=limits or ClientLimits(breaker_failures=100),
            transport=httpx.MockTransport(self),
            clock=self.clock,
            jitter=lambda: 1.0,
        )


def _unread(response: httpx.Response) -> httpx.Response:
    """As it comes off a wire: httpx takes a response made with its content for one that was read."""
    if not response.is_stream_consumed:
        return response
    return httpx.Response(
        response.status_code, headers=response.headers, stream=httpx.ByteStream(response.content)
    )


def _double(request: httpx.Request) -> httpx.Response:
    """Answers each x with 2x."""
    return _answered(decode_columns(request.content)["x"].values * 2)


def _answered(
    values: object, *, model: str = "delay", version: str = "3", content_type: str = ANSWER_TYPE
) -> httpx.Response:
    body = encode_answer(Answer(model, version, np.asarray(values, float)))
    return httpx.Response(200, content=body, headers={"content-type": content_type})


def _cut_off(response: httpx.Response) -> httpx.Response:
    return httpx.Response(200, content=response.content[:-8], headers={"content-type": ANSWER_TYPE})


def _values(outputs: object) -> list[float]:
    assert isinstance(outputs, list)
    return [output.value for output in outputs if isinstance(output, ModelOutput)]


async def test_rows_are_answered_in_their_order() -> None:
    endpoint = Endpoint(_double)

    outputs = await endpoint.client().predict_batch(ROWS, traceparent="00-aa-bb-01")

    assert _values(outputs) == [2.0, 4.0]
    (request,) = endpoint.requests
    assert (request.method, str(request.url)) == ("POST", "http://delay:3000/columns")
    assert request.headers["traceparent"] == "00-aa-bb-01"


async def test_a_signature_may_ask_for_the_entity_and_the_horizon() -> None:
    endpoint = Endpoint(lambda request: _answered([float(len(decode_columns(request.content)))]))
    names = ("entity_id", "time_horizon")
    signature = [FeatureSpec(name=name, dtype=DType.STRING) for name in names]
    client = HTTPModelClient(
        "delay", "http://delay", signature=signature, transport=httpx.MockTransport(endpoint)
    )

    await client.predict("UA1", {}, "long_term")

    columns = decode_columns(endpoint.requests[0].content)
    assert [columns[name].values.tolist() for name in names] == [["UA1"], ["long_term"]]


async def test_no_rows_ask_nobody() -> None:
    endpoint = Endpoint(_double)

    assert await endpoint.client().predict_batch([]) == []
    assert endpoint.requests == []


async def test_more_rows_than_a_call_may_carry_are_sent_in_several() -> None:
    endpoint = Endpoint(_double)
    client = endpoint.client(ClientLimits(rows_per_call=2))

    outputs = await client.predict_batch([{"x": float(number)} for number in range(5)])

    assert _values(outputs) == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert len(endpoint.requests) == 3


async def test_a_row_that_breaks_the_signature_does_not_leave_the_client() -> None:
    endpoint = Endpoint(_double)

    outputs = await endpoint.client().predict_batch([{"x": "far"}, *ROWS])

    assert [type(output).__name__ for output in outputs] == ["RowError", "ModelOutput", "ModelOutput"]
    with pytest.raises(BadRequestError, match="entity UA1: x: expected a finite number"):
        await endpoint.client().predict("UA1", {"x": "far"})


@pytest.mark.parametrize(
    "stumble",
    [
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("gone"),
        *(httpx.Response(s) for s in (429, 502, 503, 504)),
    ],
    ids=["refused", "gone", "429", "502", "503", "504"],
)
async def test_what_was_not_answered_is_asked_again(stumble: httpx.Response | Exception) -> None:
    endpoint = Endpoint(stumble, stumble, _double)

    assert _values(await endpoint.client().predict_batch(ROWS)) == [2.0, 4.0]
    assert endpoint.clock.slept == [0.05, 0.1]


async def test_it_gives_up_after_the_retries_with_the_last_error() -> None:
    endpoint = Endpoint(httpx.Response(503, text="busy"))

    with pytest.raises(ModelUnavailableError, match=r"found 503$"):
        await endpoint.client().predict_batch(ROWS)

    assert len(endpoint.requests) == 4


async def test_retry_after_is_honoured() -> None:
    endpoint = Endpoint(httpx.Response(429, headers={"retry-after": "3"}), _double)

    await endpoint.client().predict_batch(ROWS)

    assert endpoint.clock.slept == [3.05]


async def test_a_wait_beyond_the_budget_is_not_begun_and_the_caller_is_told_how_long_it_is() -> None:
    endpoint = Endpoint(httpx.Response(503, headers={"retry-after": "3"}))

    with pytest.raises(ModelUnavailableError) as caught:
        await endpoint.client().predict_batch(ROWS, budget_s=1.0)

    assert caught.value.retry_after_s == 3.0
    assert endpoint.clock.slept == []


async def test_a_budget_that_is_used_up_asks_nobody() -> None:
    endpoint = Endpoint(_double)

    with pytest.raises(ModelTimeoutError, match="expected time left"):
        await endpoint.client().predict_batch(ROWS, budget_s=0.0)

    assert endpoint.requests == []


@pytest.mark.parametrize(
    ("response", "error", "told"),
    [
        (httpx.Response(400, text="what is x?"), BadRequestError, "found 400: what is x"),
        (httpx.Response(404), BadRequestError, "found 404"),
        (httpx.Response(500, text="boom"), ModelTransientError, "found 500: boom"),
        (httpx.Response(501), ModelTransientError, "found 501"),
        (httpx.Response(301, headers={"location": "http://else"}), BadResponseError, "found 301"),
        (_answered([1.0, 2.0], content_type="text/html"), BadResponseError, "found text/html"),
        (_answered([1.0]), BadResponseError, "expected answers to 2 rows, found 1"),
        (_answered([1.0, 2.0], version="4"), BadResponseError, "expected delay 3, found delay 4"),
        (_answered([1.0, 2.0], model="other"), BadResponseError, "expected delay 3, found other 3"),
        (
            httpx.Response(200, content=b"<html></html>", headers={"content-type": ANSWER_TYPE}),
            BadResponseError,
            "starts with",
        ),
        (_cut_off(_answered([1.0, 2.0])), ModelTransientError, "Was the body cut off"),
        (httpx.DecodingError("no status line"), ModelTransientError, "in HTTP, found .no status line"),
        (httpx.ReadTimeout("slow"), ModelTimeoutError, "within 5 s, found none"),
    ],
)
async def test_what_time_will_not_mend_is_told_at_once(
    response: httpx.Response | Exception, error: type[ModelClientError], told: str
) -> None:
    endpoint = Endpoint(response)

    with pytest.raises(error, match=told):
        await endpoint.client().predict_batch(ROWS)

    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("url", ["http://delay:notaport", "http://[::1", "http://xn--", "http://\x00"])
async def test_an_endpoint_whose_url_is_none_is_away_until_it_is_routed_elsewhere(url: str) -> None:
    endpoint = Endpoint(_double)

    with pytest.raises(ModelUnavailableError, match="expected a URL, found none"):
        await endpoint.client(url=url).predict_batch(ROWS)

    assert endpoint.requests == []


@pytest.mark.parametrize("number", [np.nan, np.inf])
async def test_a_row_without_a_finite_number_costs_no_other(number: float) -> None:
    outputs = await Endpoint(_answered([1.0, number])).client().predict_batch(ROWS)

    assert _values(outputs) == [1.0]
    assert isinstance(outputs[1], RowError)
    assert outputs[1].code == "internal"


async def test_an_answer_is_only_read_as_far_as_its_bound() -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield bytes(1000)

    endpoint = Endpoint(
        lambda _: httpx.Response(200, content=endless(), headers={"content-type": ANSWER_TYPE})
    )

    with pytest.raises(BadResponseError, match="at most 5000 bytes"):
        await endpoint.client(ClientLimits(response_bytes=5000)).predict_batch(ROWS)

    assert read == 6


async def test_an_endpoint_that_does_not_answer_is_left_alone_and_asked_again_later() -> None:
    endpoint = Endpoint(*[httpx.ReadTimeout("slow")] * 3, _double)
    client = endpoint.client(ClientLimits(breaker_failures=3, breaker_reset_s=2.0))
    for _ in range(3):
        with pytest.raises(ModelTimeoutError):
            await client.predict_batch(ROWS)

    with pytest.raises(BreakerOpenError):
        await client.predict_batch(ROWS)
    assert len(endpoint.requests) == 3

    endpoint.clock.now += 2.0
    assert _values(await client.predict_batch(ROWS)) == [2.0, 4.0]


async def test_retries_end_once_the_breaker_opens() -> None:
    endpoint = Endpoint(httpx.Response(503))

    with pytest.raises(BreakerOpenError):
        await endpoint.client(ClientLimits(breaker_failures=2)).predict_batch(ROWS)

    assert len(endpoint.requests) == 2


@pytest.mark.parametrize("status", [400, 500])
async def test_answers_never_open_the_breaker_however_bad(status: int) -> None:
    endpoint = Endpoint(*[httpx.Response(status)] * 20, _double)
    client = endpoint.client(ClientLimits(breaker_failures=2))
    for _ in range(20):
        with pytest.raises((BadRequestError, ModelTransientError)):
            await client.predict_batch(ROWS)

    assert _values(await client.predict_batch(ROWS)) == [2.0, 4.0]


def _described(version: str) -> httpx.Response:
    description = {"model": "delay", "version": version, "problem_type": "regression"}
    signature = [{"name": "x", "dtype": "double", "required": True}]
    return httpx.Response(200, json=description | {"signature": signature})


async def test_without_a_signature_the_endpoint_is_asked_for_it_once() -> None:
    endpoint = Endpoint(_described("3"), _double)
    client = endpoint.client(described=True)

    await client.predict_batch(ROWS)
    await client.predict_batch(ROWS)

    assert [request.url.path for request in endpoint.requests] == ["/model_info", "/columns", "/columns"]


async def test_a_learned_signature_is_asked_for_again_once_it_is_refused() -> None:
    endpoint = Endpoint(_described("3"), httpx.Response(400), _described("4"), _double)
    client = endpoint.client(described=True)
    with pytest.raises(BadRequestError):
        await client.predict_batch(ROWS)

    assert _values(await client.predict_batch(ROWS)) == [2.0, 4.0]
    assert [request.url.path for request in endpoint.requests] == ["/model_info", "/columns"] * 2


async def test_a_description_that_makes_no_sense_is_a_bad_response() -> None:
    endpoint = Endpoint(httpx.Response(200, json={"model": "delay"}))

    with pytest.raises(BadResponseError, match="expected a description of a model"):
        await endpoint.client(described=True).predict_batch(ROWS)


async def test_health_never_raises_and_does_not_move_the_breaker() -> None:
    endpoint = Endpoint(httpx.ConnectError("refused"))
    client = endpoint.client(ClientLimits(breaker_failures=1))

    health = await client.health()

    assert (health.ready, health.breaker) == (False, "closed")
    assert "refused" in health.detail


async def test_a_cancelled_call_is_cancelled() -> None:
    started = asyncio.Event()

    class Hanging(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            started.set()
            await asyncio.Event().wait()
            raise AssertionError(request.url)

    client = HTTPModelClient("delay", "http://delay", signature=SIGNATURE, transport=Hanging())
    call = asyncio.create_task(client.predict_batch(ROWS))
    await started.wait()
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
