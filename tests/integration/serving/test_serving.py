"""A real Bento in a real child: what it answers, what it refuses, and what happens when it dies."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import httpx
import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace

from ekiben_contracts.event import FeatureValue
from ekiben_contracts.models import DType, FeatureSpec
from ekiben_mlops.packaging import package
from ekiben_mlops.settings import MlopsSettings
from ekiben_serving.columnar import COLUMNS_TYPE, encode_rows
from ekiben_serving.connection import ClientLimits
from ekiben_serving.errors import (
    BadRequestError,
    BadResponseError,
    BreakerOpenError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from ekiben_serving.http_client import HTTPModelClient
from ekiben_serving.model_client import Explanation, ModelOutput
from ekiben_serving.validation import RowError
from integration.served import Logged, Served, flights, free_port
from integration.serving.template_promises import Template, TemplatePromises

Row = dict[str, FeatureValue]


def rows_of(frame: pd.DataFrame) -> list[Row]:
    """As JSON has them: a NaN is a null."""
    rows = cast("list[dict[str, Any]]", frame.to_dict("records"))
    return [{name: None if pd.isna(value) else value for name, value in row.items()} for row in rows]


ROWS = rows_of(flights(300, seed=1))


def outputs_of(answers: object) -> list[ModelOutput]:
    assert isinstance(answers, list)
    return [answer for answer in answers if isinstance(answer, ModelOutput)]


@pytest.fixture
async def client(served: Served) -> AsyncIterator[HTTPModelClient]:
    found = HTTPModelClient("late", served.url)
    yield found
    await found.close()


@pytest.fixture
async def http(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served.url, timeout=30) as found:
        yield found


class TestTheClassificationTemplate(TemplatePromises):
    @pytest.fixture
    def template(self, served: Served, classifier: Logged) -> Template:
        return Template(served, classifier.event, ROWS[:4], frozenset({"label", "probabilities"}))


class TestTheRegressionTemplate(TemplatePromises):
    @pytest.fixture
    def template(self, served_regressor: Served, regressor: Logged) -> Template:
        return Template(served_regressor, regressor.event, ROWS[:4], frozenset())


async def test_columns_are_answered_as_the_model_itself_answers(
    client: HTTPModelClient, classifier: Logged
) -> None:
    expected = classifier.fitted.predict_proba(flights(300, seed=1))

    outputs = outputs_of(await client.predict_batch(ROWS))

    assert [output.value for output in outputs] == expected[:, 1].tolist()
    assert [output.label for output in outputs] == classifier.fitted.predict(flights(300, seed=1)).tolist()
    assert [output.probabilities for output in outputs] == [
        {"late": late, "on time": on_time} for late, on_time in expected.tolist()
    ]
    assert {(output.model, output.version) for output in outputs} == {("late", "1")}


async def test_json_is_answered_as_columns_are(client: HTTPModelClient, http: httpx.AsyncClient) -> None:
    outputs = outputs_of(await client.predict_batch(ROWS))

    answer = await http.post("/predict_batch", json={"rows": ROWS})

    assert [one["value"] for one in answer.json()] == [output.value for output in outputs]
    assert [one["label"] for one in answer.json()] == [output.label for output in outputs]
    single = await http.post("/predict", json={"features": ROWS[0]})
    assert single.json()["probabilities"] == outputs[0].probabilities


async def test_a_regression_is_answered_with_numbers_alone(
    served_regressor: Served, regressor: Logged
) -> None:
    client = HTTPModelClient("Minutes.of_delay", served_regressor.url, version="1")
    outputs = outputs_of(await client.predict_batch(ROWS))
    await client.close()

    assert [output.value for output in outputs] == regressor.fitted.predict(flights(300, seed=1)).tolist()
    assert {(output.label, output.probabilities) for output in outputs} == {(None, None)}


async def test_the_input_example_is_answered_as_its_event_says(
    client: HTTPModelClient, classifier: Logged
) -> None:
    example = classifier.event.input_example

    assert (await client.predict("UA1", example.features)).value == pytest.approx(example.expected, rel=1e-9)


async def test_bad_rows_have_errors_while_their_neighbours_are_answered(client: HTTPModelClient) -> None:
    rows: list[Row] = [
        ROWS[0],
        {**ROWS[1], "carrier": "never seen in training"},
        {**ROWS[2], "seats": "many"},
        {name: value for name, value in ROWS[3].items() if name != "night"},
        ROWS[4],
    ]

    answers = await client.predict_batch(rows)

    alone = outputs_of(await client.predict_batch(ROWS[:1]))[0]
    assert replace(outputs_of(answers)[0], latency_ms=0) == replace(alone, latency_ms=0)
    assert [answer.code if isinstance(answer, RowError) else "answered" for answer in answers] == [
        "answered",
        "internal",
        "invalid_request",
        "missing_features",
        "answered",
    ]
    unseen = answers[1]
    assert isinstance(unseen, RowError)
    assert "never seen in training" in unseen.message


async def test_bad_rows_of_json_have_errors_while_their_neighbours_are_answered(
    http: httpx.AsyncClient,
) -> None:
    rows = [ROWS[0], {**ROWS[1], "carrier": "nobody"}, {**ROWS[2], "night": 1}, {}, ROWS[4]]

    answers = (await http.post("/predict_batch", json={"rows": rows})).json()

    assert [answer.get("error", {}).get("code") for answer in answers] == [
        None,
        "internal",
        "invalid_request",
        "missing_features",
        None,
    ]


async def test_a_bad_row_alone_is_a_bad_request_that_names_the_column(http: httpx.AsyncClient) -> None:
    answer = await http.post("/predict", json={"features": {**ROWS[0], "hour": 2.5}})

    assert answer.status_code == 400
    assert "hour: expected an integer of 32 bits, found 2.5" in answer.text


async def test_columns_of_another_signature_are_refused_and_named(served: Served, classifier: Logged) -> None:
    signature = [
        *classifier.event.signature[:-1],
        FeatureSpec(name="airline", dtype=DType.STRING, required=False),
    ]
    client = HTTPModelClient("late", served.url, signature=signature)

    with pytest.raises(
        BadRequestError, match="carrier: expected string, found nothing; airline: expected nothing"
    ):
        await client.predict_batch(ROWS)
    await client.close()


@pytest.mark.parametrize("body", [b"", b"EKC1", b"\x80\x04pickle", b"{}", b"EKC1\xff\xff\xff\x7f{}"])
async def test_a_body_that_is_no_frame_is_refused(http: httpx.AsyncClient, body: bytes) -> None:
    answer = await http.post("/columns", content=body, headers={"content-type": COLUMNS_TYPE})

    assert answer.status_code == 400
    assert answer.text.startswith("expected")


async def test_a_body_beyond_the_limit_is_refused_before_it_is_all_read(http: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield bytes(1024 * 1024)

    answer = await http.post("/columns", content=endless())

    assert answer.status_code == 413


async def test_a_model_of_another_name_or_version_at_the_port_is_noticed(
    served: Served, classifier: Logged
) -> None:
    for model, version in (("late", "2"), ("other", "1")):
        client = HTTPModelClient(model, served.url, version=version, signature=classifier.event.signature)
        with pytest.raises(BadResponseError, match=f"expected {model} {version}, found late 1"):
            await client.predict_batch(ROWS)
        await client.close()


async def test_it_says_what_it_is_and_that_it_is_well(
    client: HTTPModelClient, http: httpx.AsyncClient, classifier: Logged
) -> None:
    description = await client.describe()

    assert list(description.signature) == classifier.event.signature
    assert list(description.classes) == classifier.event.classes
    assert (await client.health()).ready
    assert (await http.get("/health")).json() == {"status": "ok", "model": "late", "version": "1"}


async def test_it_counts_what_it_does(client: HTTPModelClient, http: httpx.AsyncClient) -> None:
    async def metric(name: str) -> float:
        lines = (await http.get("/metrics")).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name}{{"))

    rows, requests = (
        await metric("ekiben_model_predictions_total"),
        await metric("ekiben_model_requests_total"),
    )
    errors = await metric("ekiben_model_errors_total")

    await client.predict_batch([*ROWS, {**ROWS[0], "carrier": "nobody"}])

    assert await metric("ekiben_model_predictions_total") == rows + len(ROWS)
    assert await metric("ekiben_model_requests_total") == requests + 1
    assert await metric("ekiben_model_errors_total") == errors + 1
    assert await metric("ekiben_model_healthy") == 1
    for name in ("load_seconds", "latency_seconds_count", "batch_size_count"):
        assert await metric(f"ekiben_model_{name}") > 0


async def test_many_calls_at_once_share_few_connections(served: Served, classifier: Logged) -> None:
    client = HTTPModelClient(
        "late",
        served.url,
        signature=classifier.event.signature,
        limits=ClientLimits(concurrent_calls=2),
        timeout=60,
    )

    answers = await asyncio.gather(*(client.predict_batch(ROWS[number : number + 1]) for number in range(20)))

    assert [outputs_of(answer)[0].value for answer in answers] == [
        output.value for output in outputs_of(await client.predict_batch(ROWS[:20]))
    ]
    await client.close()


async def test_health_and_metrics_are_answered_while_the_model_computes(
    client: HTTPModelClient, http: httpx.AsyncClient
) -> None:
    computing = 'bentoml_service_request_in_progress{endpoint="/columns"'
    rows = [{**ROWS[0], "carrier": "nobody"}] * 1024  # all of them fail: the model is called many times
    call = asyncio.create_task(client.predict_batch(rows))
    seen = 0
    while not call.done():
        lines = (await http.get("/metrics")).text.splitlines()
        seen += any(line.startswith(computing) and line.endswith(" 1.0") for line in lines)

    assert outputs_of(await call) == []
    assert seen > 2


@pytest.fixture(scope="module")
def mortal(classifier: Logged, mlops_settings: MlopsSettings) -> Iterator[Served]:
    """A child to be halted and killed; each test leaves it running."""
    found = Served(package(classifier.event, mlops_settings), mlops_settings, free_port())
    found.start()
    yield found
    found.stop(signal.SIGKILL)


async def test_a_killed_server_is_unavailable_until_it_is_back(mortal: Served, classifier: Logged) -> None:
    limits = ClientLimits(breaker_failures=4, breaker_reset_s=1.0)
    client = HTTPModelClient(
        "late", mortal.url, signature=classifier.event.signature, limits=limits, timeout=60
    )
    assert outputs_of(await client.predict_batch(ROWS[:1]))

    mortal.stop(signal.SIGKILL)
    with pytest.raises(ModelUnavailableError):
        await client.predict_batch(ROWS[:1])
    with pytest.raises(BreakerOpenError, match="circuit breaker open"):
        await client.predict_batch(ROWS[:1])
    assert not (await client.health()).ready

    await asyncio.to_thread(mortal.start)
    assert (await client.health()).breaker == "open"
    assert len(outputs_of(await client.predict_batch(ROWS))) == len(ROWS)
    assert (await client.health()) == (True, "closed", "")
    await client.close()


async def test_a_server_that_hangs_is_a_timeout_within_the_budget(mortal: Served, classifier: Logged) -> None:
    client = HTTPModelClient("late", mortal.url, signature=classifier.event.signature, timeout=30)
    assert outputs_of(await client.predict_batch(ROWS[:1]))

    mortal.worker().suspend()
    try:
        with pytest.raises(ModelTimeoutError, match=r"within 0\.[0-9]+ s, found none"):
            await client.predict_batch(ROWS[:1], budget_s=0.3)
    finally:
        mortal.worker().resume()

    assert np.isfinite(outputs_of(await client.predict_batch(ROWS[:1]))[0].value)
    await client.close()


async def test_json_is_explained_as_columns_are(client: HTTPModelClient, http: httpx.AsyncClient) -> None:
    explanations = await client.explain_batch(ROWS[:3], budget_s=60)

    answer = await http.post("/explain", json={"rows": [*ROWS[:3], {**ROWS[0], "carrier": "nobody"}, {}]})

    *explained, unseen, empty = answer.json()
    for one, explanation in zip(explained, explanations, strict=True):
        assert isinstance(explanation, Explanation)
        assert one["attributions"] == explanation.attributions
        assert (one["value"], one["expected"]) == (explanation.value, explanation.expected)
        assert one["label"] == explanation.label == "on time"
    assert [unseen["error"]["code"], empty["error"]["code"]] == ["internal", "missing_features"]


async def test_it_says_which_explainer_it_has_and_what_moves_the_model(http: httpx.AsyncClient) -> None:
    found = (await http.get("/explainer")).json()

    assert found["explainer"] == "tree"
    assert sum(found["importance"].values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "expected a body that starts with"),
        (b"{}", "expected a body that starts with"),
        (encode_rows([{"x": 1.0}], [FeatureSpec(name="x", dtype=DType.DOUBLE)]), "the columns are not those"),
    ],
)
async def test_a_body_that_cannot_be_explained_is_refused(
    http: httpx.AsyncClient, body: bytes, told: str
) -> None:
    answer = await http.post("/explain_columns", content=body, headers={"content-type": COLUMNS_TYPE})

    assert answer.status_code == 400
    assert told in answer.text


async def test_more_rows_than_are_explained_at_a_time_are_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post("/explain", json={"rows": ROWS[:65]})

    assert answer.status_code == 400
    assert "expected at most 64 rows to explain, found 65" in answer.text
