"""The routes of the protocol over a predictor that answers from its rows."""

from __future__ import annotations

import gzip
import json
import re
import struct
import zlib
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from tritonclient.http import InferResult

from ekiben_contracts.prediction import FailureCode
from ekiben_inference_gateway.http.access.gate import build_gate
from ekiben_inference_gateway.http.aside import Aside
from ekiben_inference_gateway.http.bodies import BodyLimits
from ekiben_inference_gateway.http.predicting import BusyError
from ekiben_inference_gateway.http.problems import ProblemError
from ekiben_inference_gateway.http.routes import RequestLimits
from ekiben_inference_gateway.http.settings import HttpSettings
from ekiben_inference_gateway.http.v2.problems import respond
from ekiben_inference_gateway.http.v2.routes import InferenceProtocol, router
from ekiben_inference_gateway.refusals import Refusal
from unit.gateway.v2.asking import binary, header, tensor
from unit.gateway.v2.fakes import NOW, FakePredictor

PAGE = Path(__file__).parents[4] / "docs" / "inference-protocol.md"
MOST_BYTES = 20_000
DISTANCES = tensor(data=[1000, 3000])
CARRIERS = tensor("carrier", datatype="BYTES", data=["UA", "AA"])
LENGTH = "Inference-Header-Content-Length"


@pytest.fixture
def predictor():
    return FakePredictor()


@pytest.fixture
def ready():
    return [True]


@pytest.fixture
async def client(predictor, ready):
    limits = RequestLimits(BodyLimits(MOST_BYTES, 5.0), rows=100, features=3)
    gate = build_gate(HttpSettings(), lambda: NOW)
    app = FastAPI()
    app.include_router(
        router(InferenceProtocol(predictor, gate, limits, Aside(), lambda: ready[0], lambda: "made-here"))
    )
    app.add_exception_handler(ProblemError, lambda request, error: respond(request.url.path, error))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as found:
        yield found


async def infer(client, *inputs, model="delay", **rest):
    return await client.post(f"/v2/models/{model}/infer", content=header(*inputs, **rest))


def outputs(response):
    assert response.status_code == 200, response.text
    return {one["name"]: one for one in response.json()["outputs"]}


async def test_the_server_says_who_it_is(client):
    found = (await client.get("/v2")).json()
    assert found["name"] == "ekiben-inference-gateway"
    assert found["extensions"] == ["binary_tensor_data"]
    assert (await client.get("/v2/")).json() == found


async def test_it_lives_and_says_whether_it_is_ready(client, ready):
    assert (await client.get("/v2/health/live")).json() == {"live": True}
    assert (await client.get("/v2/health/ready")).status_code == 200
    ready[0] = False
    unready = await client.get("/v2/health/ready")
    assert (unready.status_code, unready.json()["ready"]) == (503, False)
    assert (await client.get("/v2/health/live")).status_code == 200


async def test_a_model_tells_its_tensors(client):
    assert (await client.get("/v2/models/delay")).json() == {
        "name": "delay",
        "versions": ["1"],
        "platform": "bentoml_bento",
        "inputs": [
            {"name": "distance", "datatype": "FP64", "shape": [-1]},
            {"name": "carrier", "datatype": "BYTES", "shape": [-1]},
            {"name": "seats", "datatype": "INT64", "shape": [-1]},
        ],
        "outputs": [
            {"name": "prediction", "datatype": "FP64", "shape": [-1]},
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP64", "shape": [-1, 2]},
        ],
        "properties": {
            "problem_type": "classification",
            "classes": '["on_time", "late"]',
            "optional_inputs": '["seats"]',
        },
    }
    regression = (await client.get("/v2/models/minutes/versions/1")).json()
    assert [one["name"] for one in regression["outputs"]] == ["prediction"]


async def test_a_version_tells_itself_alone(client):
    assert (await client.get("/v2/models/both")).json()["versions"] == ["1", "2"]
    assert (await client.get("/v2/models/both/versions/2")).json()["versions"] == ["2"]


async def test_a_model_is_ready_while_every_version_that_may_be_drawn_answers(client, predictor):
    assert (await client.get("/v2/models/both/ready")).json() == {"name": "both", "ready": True}
    predictor.away.add("2")
    away = await client.get("/v2/models/both/ready")
    assert away.status_code == 503
    assert away.json()["ready"] is False
    assert away.json()["error"] == "expected every version of both to answer, found 2 away; ask again later"
    assert "127.0.0.1" not in away.text
    assert (await client.get("/v2/models/both/versions/1/ready")).status_code == 200


async def test_json_is_answered_as_json(client, predictor):
    response = await infer(client, DISTANCES, CARRIERS, id="42")
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "model_name": "delay",
        "model_version": "1",
        "id": "42",
        "outputs": [
            {"name": "prediction", "datatype": "FP64", "shape": [2], "data": [0.25, 0.75]},
            {"name": "label", "datatype": "BYTES", "shape": [2], "data": ["on_time", "late"]},
            {
                "name": "probabilities",
                "datatype": "FP64",
                "shape": [2, 2],
                "data": [0.75, 0.25, 0.25, 0.75],
                "parameters": {"classes": '["on_time", "late"]'},
            },
        ],
    }
    assert [one.features for one in predictor.asked] == [
        {"distance": 1000.0, "carrier": "UA"},
        {"distance": 3000.0, "carrier": "AA"},
    ]


async def test_binary_is_answered_as_the_reference_client_reads_it(client):
    head = header(binary(16), CARRIERS, parameters={"binary_data_output": True})
    response = await client.post(
        "/v2/models/delay/infer",
        content=head + struct.pack("<2d", 1000, 3000),
        headers={LENGTH: str(len(head)), "content-type": "application/octet-stream"},
    )
    assert response.headers["content-type"] == "application/octet-stream"
    found = InferResult.from_response_body(response.content, header_length=int(response.headers[LENGTH]))
    assert found.as_numpy("prediction").tolist() == [0.25, 0.75]
    assert found.as_numpy("label").tolist() == [b"on_time", b"late"]
    assert found.as_numpy("probabilities").tolist() == [[0.75, 0.25], [0.25, 0.75]]


async def test_an_output_says_itself_whether_it_is_binary(client):
    wanted = [{"name": "label", "parameters": {"binary_data": False}}, {"name": "prediction"}]
    response = await infer(
        client, DISTANCES, CARRIERS, outputs=wanted, parameters={"binary_data_output": True}
    )
    length = int(response.headers[LENGTH])
    first, second = json.loads(response.content[:length])["outputs"]
    assert (first["name"], first["data"]) == ("label", ["on_time", "late"])
    assert (second["name"], second["parameters"]) == ("prediction", {"binary_data_size": 16})
    assert response.content[length:] == struct.pack("<2d", 0.25, 0.75)


async def test_one_tensor_of_all_columns_is_answered_where_all_are_numbers(client):
    response = await infer(client, tensor("x", [2, 2], data=[1000, 7, 3000, 8]), model="minutes")
    assert outputs(response).keys() == {"prediction"}
    assert outputs(response)["prediction"]["data"] == [0.25, 0.75]


async def test_rows_of_several_versions_have_no_one_version(client):
    wanted = [{"name": "model_version"}, {"name": "request_id"}]
    response = await infer(client, DISTANCES, CARRIERS, model="both", outputs=wanted)
    assert "model_version" not in response.json()
    assert outputs(response)["model_version"]["data"] == ["1", "2"]
    assert outputs(response)["request_id"]["data"] == ["made-0", "made-1"]


async def test_a_version_that_is_named_answers_every_row(client):
    response = await client.post("/v2/models/both/versions/2/infer", content=header(DISTANCES, CARRIERS))
    assert response.json()["model_version"] == "2"


async def test_rows_say_whom_they_are_about_and_which_request_they_are(client, predictor):
    ids = {
        name: tensor(name, datatype="BYTES", data=[f"{name}-a", f"{name}-b"])
        for name in ("entity_id", "request_id")
    }
    outputs(await infer(client, DISTANCES, CARRIERS, *ids.values()))
    assert [(one.entity_id, one.request_id) for one in predictor.asked] == [
        ("entity_id-a", "request_id-a"),
        ("entity_id-b", "request_id-b"),
    ]


@pytest.mark.parametrize(("named", "about"), [({"id": "flight-7"}, "flight-7"), ({}, "made-here")])
async def test_rows_that_name_no_entity_are_about_the_request(client, predictor, named, about):
    outputs(await infer(client, DISTANCES, CARRIERS, **named))
    assert {one.entity_id for one in predictor.asked} == {about}
    assert {one.request_id for one in predictor.asked} == {None}


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_compressed_body_is_read(client, encoding, compress):
    response = await client.post(
        "/v2/models/delay/infer",
        content=compress(header(DISTANCES, CARRIERS)),
        headers={"content-encoding": encoding},
    )
    assert outputs(response)["prediction"]["data"] == [0.25, 0.75]


GOOD = header(DISTANCES, CARRIERS)
REFUSED = {
    "an unknown model": (
        ("nobody", GOOD, {}),
        (404, "unknown_model", "expected a model that takes traffic, found 'nobody'"),
    ),
    "an unknown version": (
        ("delay/versions/9", GOOD, {}),
        (404, "unknown_model", "expected a version of delay, found '9'"),
    ),
    "a tensor whose shape and data disagree": (
        ("delay", header(tensor(shape=[3], data=[1, 2]), CARRIERS), {}),
        (400, "invalid_request", "input 'distance': expected 3 elements"),
    ),
    "an unknown datatype": (
        ("delay", header(tensor(datatype="FP128", data=[1, 2])), {}),
        (400, "invalid_request", "expected a datatype of BOOL"),
    ),
    "truncated JSON": (("delay", GOOD[:-9], {}), (400, "invalid_request", "Was the body cut off?")),
    "a header length beyond the body": (
        ("delay", GOOD, {LENGTH: str(len(GOOD) + 1)}),
        (400, "invalid_request", f"{LENGTH}: expected at most the {len(GOOD)} bytes"),
    ),
    "a header length short of the header": (
        ("delay", GOOD, {LENGTH: str(len(GOOD) - 1)}),
        (400, "invalid_request", "EOF while parsing"),
    ),
    "a row that the model refuses": (
        ("minutes", header(tensor(data=[1, 2]), tensor("seats", data=[7, 7.5])), {}),
        (400, "invalid_request", "row 1: seats: expected an integer below 2^53, or null, found 7.5"),
    ),
    "a feature too few": (
        ("delay", header(DISTANCES), {}),
        (422, "missing_features", "row 0: expected a value for carrier; found 1 absent"),
    ),
    "a feature too many for the limit": (
        ("delay", header(*(tensor(name, data=[1, 2]) for name in "abcd")), {}),
        (400, "invalid_request", "expected at most 3 features, found 4"),
    ),
    "too many rows": (
        ("delay", header(tensor(shape=[101], data=[1] * 101)), {}),
        (400, "invalid_request", "1 to 100 rows, found [101]"),
    ),
    "an id that is too long": (
        (
            "delay",
            header(tensor("entity_id", [1], "BYTES", data=["x" * 300]), tensor(shape=[1], data=[1])),
            {},
        ),
        (400, "invalid_request", "row 0: entity_id: expected text of at most 256 characters"),
    ),
    "half of a surrogate pair": (
        ("delay", header(tensor("carrier", [1], "BYTES", data=["\ud800"])), {}),
        (400, "invalid_request", "expected"),
    ),
    "an output that the model has not": (
        ("minutes", header(tensor(data=[1, 2]), outputs=[{"name": "label"}]), {}),
        (400, "invalid_request", "expected outputs of prediction, request_id, model_version, found 'label'"),
    ),
    "an output twice": (
        ("delay", header(DISTANCES, CARRIERS, outputs=[{"name": "label"}] * 2), {}),
        (400, "invalid_request", "expected each output once"),
    ),
    "a classification": (
        ("delay", header(DISTANCES, outputs=[{"name": "label", "parameters": {"classification": 2}}]), {}),
        (400, "invalid_request", "output label: expected no classification, found 2"),
    ),
    "a wrong content type": (
        ("delay", GOOD, {"content-type": "text/csv"}),
        (415, "unsupported_media_type", "expected content-type application/json"),
    ),
    "no content type, from a web page": (
        ("delay", GOOD, {"origin": "https://elsewhere.example"}),
        (415, "unsupported_media_type", "expected content-type application/json"),
    ),
    "an unknown encoding": (
        ("delay", GOOD, {"content-encoding": "br"}),
        (415, "unsupported_media_type", "expected a Content-Encoding of gzip, deflate or none, found 'br'"),
    ),
    "a body that is not compressed as it says": (
        ("delay", GOOD, {"content-encoding": "gzip"}),
        (400, "invalid_request", "expected a body in gzip, found none"),
    ),
    "a compressed body cut off": (
        ("delay", gzip.compress(GOOD)[:-3], {"content-encoding": "gzip"}),
        (400, "invalid_request", "expected one whole body in gzip, found its beginning"),
    ),
    "two compressed bodies": (
        ("delay", gzip.compress(GOOD) * 2, {"content-encoding": "gzip"}),
        (400, "invalid_request", "expected one whole body in gzip, found data behind it"),
    ),
    "a small body that inflates to a large one": (
        ("delay", gzip.compress(b" " * 10_000_000), {"content-encoding": "gzip"}),
        (413, "too_large", f"expected a body of at most {MOST_BYTES} bytes once inflated, found more"),
    ),
    "a large body": (
        ("delay", b" " * (MOST_BYTES + 1), {}),
        (413, "too_large", f"expected a body of at most {MOST_BYTES} bytes"),
    ),
}


@pytest.mark.parametrize(("sent", "told"), REFUSED.values(), ids=REFUSED)
async def test_what_is_refused_is_told_in_the_protocols_own_shape(client, predictor, sent, told):
    model, body, headers = sent
    status, code, says = told
    response = await client.post(f"/v2/models/{model}/infer", content=body, headers=headers)
    assert response.headers["content-type"] == "application/json"
    problem = response.json()
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["error"] == problem["detail"]
    assert says in problem["error"]


@pytest.mark.parametrize(
    ("code", "status"),
    [(FailureCode.INTERNAL, 500), (FailureCode.MODEL_UNAVAILABLE, 503), (FailureCode.UNKNOWN_MODEL, 404)],
)
async def test_what_the_predictor_refuses_has_its_status(client, predictor, code, status):
    predictor.refusal = Refusal(code, "expected an answer, found none")
    response = await infer(client, DISTANCES, CARRIERS)
    assert (response.status_code, response.json()["code"]) == (status, code.value)
    assert "row 0: expected an answer, found none; row 1:" in response.json()["error"]


def test_the_page_tells_every_status_and_code():
    told = re.findall(r"^\| .+ \| (\d+) \| `(\w+)` \|$", PAGE.read_text(), re.MULTILINE)
    cases = {(str(status), code) for _, (status, code, _) in REFUSED.values()}
    beyond = {("500", "internal"), ("503", "model_unavailable"), ("503", "busy")}
    assert set(told) == cases | beyond


async def test_a_part_of_a_request_is_not_answered_and_the_rows_that_fit_are_told(client):
    seats = tensor("seats", [8], data=[0.5] * 7 + [1])
    response = await infer(client, tensor(shape=[8], data=[1] * 8), seats, model="minutes")
    assert response.status_code == 400
    error = response.json()["error"]
    assert error.count("expected an integer") == 5
    assert "; and 2 rows more. The other 1 rows fit: send them again without these" in error


async def test_whoever_comes_when_too_much_is_waiting_is_told_when_to_come_again(client, predictor):
    predictor.failure = BusyError("expected room, found none", 2.0)
    response = await infer(client, DISTANCES, CARRIERS)
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert response.json()["error"] == "expected room, found none"


async def test_nothing_is_asked_of_a_model_for_a_request_that_is_refused(client, predictor):
    await infer(client, DISTANCES, CARRIERS, outputs=[{"name": "nothing"}])
    await infer(client, tensor(shape=[3], data=[1, 2]))
    assert predictor.asked == []
