"""Clients of the Open Inference Protocol, unchanged, before a whole gateway, real models and their Bentos."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
import tritonclient.http.aio as triton_aio
from sklearn.ensemble import HistGradientBoostingRegressor
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

from ekiben_contracts.prediction import ModelsScored
from ekiben_contracts.topics import MODEL_OUTPUTS
from ekiben_mlops.registry import Registry
from ekiben_mlops.settings import MlopsSettings
from ekiben_mlops.trained import trained_event
from integration.gateway.asking import FEATURES, route
from integration.gateway.speaking import Speaking, columns_of, inputs_of, wanted
from integration.served import Logged, Served, flights, serving
from unit.gateway.building import ensemble

OUTPUTS = ("prediction", "label", "probabilities")
NUMBERS = ["distance", "wind", "temperature", "seats", "hour"]
FORMS = pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
ROW = {name: [value] for name, value in FEATURES.items()}
INFER = "/v2/models/late/infer"


@pytest.fixture(scope="module")
def numeric(registry: Registry) -> Logged:
    """A regression whose features are all numbers."""
    rows = flights(300)
    fitted = HistGradientBoostingRegressor(max_iter=10).fit(rows[NUMBERS], rows["distance"] / 100)
    with registry.run("flights", "numeric"):
        version = registry.log_model(fitted, "Minutes.in_numbers", rows[NUMBERS])
    return Logged(fitted, trained_event(registry, "Minutes.in_numbers", version))


@pytest.fixture(scope="module")
def served_numeric(numeric: Logged, mlops_settings: MlopsSettings) -> Iterator[Served]:
    """It, served."""
    with serving(numeric.event, mlops_settings) as found:
        yield found


@FORMS
async def test_the_reference_client_is_answered_what_the_model_itself_answers(
    binary: bool, classifier: Logged, served: Served
) -> None:
    rows = flights(50, seed=1)
    gateway = Speaking()

    def ask():
        with gateway.client() as client:
            return client.infer(
                "late",
                inputs_of(columns_of(rows), binary=binary),
                request_id="42",
                outputs=wanted(*OUTPUTS, binary=binary),
            )

    async with gateway.over(route(classifier.event, served.url)):
        answer = await asyncio.to_thread(ask)
    expected = classifier.fitted.predict_proba(rows)
    assert json.loads(answer.get_output("probabilities")["parameters"]["classes"]) == ["late", "on time"]
    np.testing.assert_allclose(answer.as_numpy("probabilities"), expected, rtol=1e-6)
    np.testing.assert_allclose(answer.as_numpy("prediction"), expected[:, 1], rtol=1e-6)
    labels = [str(text, "utf-8") if binary else text for text in answer.as_numpy("label")]
    assert labels == list(classifier.fitted.predict(rows))
    head = answer.get_response()
    assert (head["model_name"], head["model_version"], head["id"]) == ("late", classifier.event.version, "42")


async def test_every_output_is_binary_where_none_is_named(classifier: Logged, served: Served) -> None:
    gateway = Speaking()

    def ask():
        with gateway.client() as client:
            inputs = inputs_of(columns_of(flights(3)), binary=True)
            return client.infer("late", inputs, headers={"Accept-Encoding": "identity"})

    async with gateway.over(route(classifier.event, served.url)):
        answer = await asyncio.to_thread(ask)
    assert [one["name"] for one in answer.get_response()["outputs"]] == list(OUTPUTS)
    assert all("binary_data_size" in one["parameters"] for one in answer.get_response()["outputs"])
    assert answer.as_numpy("label").shape == (3,)


@pytest.mark.parametrize("compression", ["gzip", "deflate"])
async def test_the_reference_client_may_compress(
    compression: str, classifier: Logged, served: Served
) -> None:
    gateway = Speaking()

    def ask():
        with gateway.client() as client:
            inputs = inputs_of(columns_of(flights(9)), binary=True)
            return client.infer("late", inputs, request_compression_algorithm=compression)

    async with gateway.over(route(classifier.event, served.url)):
        answer = await asyncio.to_thread(ask)
    assert answer.as_numpy("prediction").shape == (9,)


async def test_what_the_metadata_tell_is_enough_to_ask(classifier: Logged, served: Served) -> None:
    gateway = Speaking()

    def ask():
        with gateway.client() as client:
            assert client.is_server_live()
            assert client.is_server_ready()
            assert client.is_model_ready("late")
            assert client.is_model_ready("late", classifier.event.version)
            assert not client.is_model_ready("late", "404")
            assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
            told = client.get_model_metadata("late", classifier.event.version)
            arrays = {
                one["name"]: np.array(ROW[one["name"]], triton_to_np_dtype(one["datatype"]))
                for one in told["inputs"]
            }
            answer = client.infer("late", inputs_of(arrays, binary=True))
            return told, answer

    async with gateway.over(route(classifier.event, served.url)):
        told, answer = await asyncio.to_thread(ask)
    assert told["versions"] == [classifier.event.version]
    assert [one["name"] for one in told["outputs"]] == list(OUTPUTS)
    for one in told["outputs"]:
        assert answer.as_numpy(one["name"]).shape == (1, *one["shape"][1:])


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@FORMS
async def test_one_tensor_of_all_columns_is_answered_as_one_for_each(
    binary: bool, dtype: str, numeric: Logged, served_numeric: Served
) -> None:
    rows = flights(30, seed=2)[NUMBERS].astype(dtype)
    gateway = Speaking()

    def ask():
        with gateway.client() as client:
            whole = inputs_of({"input-0": rows.to_numpy()}, binary=binary)
            each = inputs_of({name: rows[[name]].to_numpy() for name in rows}, binary=binary)
            return [client.infer("Minutes.in_numbers", inputs) for inputs in (whole, each)]

    async with gateway.over(route(numeric.event, served_numeric.url)):
        whole, each = await asyncio.to_thread(ask)
    expected = numeric.fitted.predict(rows.astype("f8"))
    np.testing.assert_allclose(whole.as_numpy("prediction"), expected, rtol=1e-6)
    np.testing.assert_array_equal(whole.as_numpy("prediction"), each.as_numpy("prediction"))
    assert [one["name"] for one in whole.get_response()["outputs"]] == ["prediction"]


async def test_the_reference_clients_asyncio_form_is_answered_too(classifier: Logged, served: Served) -> None:
    gateway = Speaking()
    async with (
        gateway.over(route(classifier.event, served.url)),
        triton_aio.InferenceServerClient(gateway.address) as client,
    ):
        inputs = inputs_of(columns_of(flights(4)), binary=True)
        answers = await asyncio.gather(*(client.infer("late", inputs) for _ in range(8)))
    assert {tuple(answer.as_numpy("prediction")) for answer in answers} == {
        tuple(answers[0].as_numpy("prediction"))
    }


async def test_the_request_ids_of_an_answer_are_those_of_its_events(
    classifier: Logged, served: Served
) -> None:
    gateway = Speaking()
    columns = columns_of(flights(2)) | {"entity_id": np.array(["UA1", "UA2"], object)}

    def ask():
        with gateway.client() as client:
            return client.infer(
                "late", inputs_of(columns, binary=True), outputs=wanted("request_id", binary=True)
            )

    async with gateway.over(route(classifier.event, served.url)):
        answer = await asyncio.to_thread(ask)
        events = await gateway.kafka.events(MODEL_OUTPUTS, 2)
    told = {one.entity_id: one.request_id for one in events if isinstance(one, ModelsScored)}
    ids = [text.decode() for text in answer.as_numpy("request_id")]
    assert told == {"UA1": ids[0], "UA2": ids[1]}


async def test_the_reference_client_raises_what_was_expected_and_found(
    classifier: Logged, served: Served
) -> None:
    gateway = Speaking()
    rows = columns_of(flights(2))
    unseen = rows | {"carrier": np.array(["UA", "ZZ"], object)}
    short = {name: values for name, values in rows.items() if name != "distance"}
    lying = inputs_of(rows, binary=True)
    lying[0].set_shape([3])
    strange = inputs_of(rows, binary=True)
    strange[0]._datatype = "FP128"
    good = inputs_of(rows, binary=True)
    version = classifier.event.version
    cases = [
        ("nobody", "", good, "404", "expected a model that takes traffic (late), found 'nobody'"),
        (
            "late",
            "404",
            good,
            "404",
            f"expected a version of late that takes traffic ({version}), found '404'",
        ),
        ("both", "", good, "400", "expected a single model, found both, an ensemble of late, absent"),
        ("late", "", lying, "400", "input 'distance': expected 24 bytes by its shape [3]"),
        ("late", "", strange, "400", "expected a datatype of BOOL, UINT8"),
        (
            "late",
            "",
            inputs_of(short, binary=True),
            "422",
            "row 0: expected a value for distance; found 1 absent",
        ),
        ("late", "", inputs_of(unseen, binary=True), "500", "row 1: expected a prediction, found"),
    ]

    def ask(model, of_version, inputs):
        with gateway.client() as client, pytest.raises(InferenceServerException) as refused:
            client.infer(model, inputs, model_version=of_version)
        return refused.value

    async with gateway.over(
        route(classifier.event, served.url), ensemble("both", ["late", "absent"], missing_policy="all")
    ):
        for model, of_version, inputs, status, says in cases:
            error = await asyncio.to_thread(ask, model, of_version, inputs)
            assert error.status() == status, error.message()
            assert says in error.message()
            assert error.debug_details() is None  # else the client could not read it, and tells the body


def body(**features: object) -> bytes:
    """A body in JSON about one row."""
    datatypes = {str: "BYTES", float: "FP64", int: "INT64", bool: "BOOL"}
    inputs = [
        {"name": name, "shape": [1], "datatype": datatypes[type(value)], "data": [value]}
        for name, value in {**FEATURES, **features}.items()
    ]
    return json.dumps({"inputs": inputs}).encode()


async def test_what_is_cut_off_on_its_way_costs_nobody_else(classifier: Logged, served: Served) -> None:
    gateway = Speaking()
    whole = body()

    def send(length: int, sent: bytes) -> bytes:
        """A request with a wrong Content-Length, and what comes back before the connection ends."""
        head = (
            f"POST {INFER} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
            connection.sendall(head.encode() + sent)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65_536), b""))

    async with gateway.over(route(classifier.event, served.url)):
        short = await asyncio.to_thread(send, len(whole) - 5, whole)
        long = await asyncio.to_thread(send, len(whole) + 5, whole)
        async with httpx.AsyncClient(base_url=gateway.url) as client:
            behind = await client.post(INFER, content=whole)
    assert short.startswith(b"HTTP/1.1 400")
    assert b"Was the body cut off?" in short
    assert b'"outputs"' not in long
    assert behind.json()["outputs"][0]["name"] == "prediction"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v2/nothing", 404), ("GET", INFER, 405), ("POST", "/v2", 405), ("GET", "/v2/models", 404)],
)
async def test_what_is_no_route_is_told_in_the_protocols_shape(
    method: str, path: str, status: int, classifier: Logged, served: Served
) -> None:
    gateway = Speaking()
    async with (
        gateway.over(route(classifier.event, served.url)),
        httpx.AsyncClient(base_url=gateway.url) as client,
    ):
        found = await client.request(method, path)
    assert (found.status_code, found.headers["content-type"]) == (status, "application/json")
    assert found.json()["error"] == found.json()["detail"]
