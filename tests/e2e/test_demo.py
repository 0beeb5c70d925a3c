"""`ekiben demo`, small: every record accounted for, nothing left running, its models there to be asked."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import np_to_triton_dtype

from e2e.system import System, running
from e2e.waiting import until
from ekiben_bus.brokers.ports import free_port

REQUESTS = 2_000
EMBEDDED = {"EKIBEN_BROKER": "embedded"}
DOCS = Path(__file__).parents[2] / "docs"
MODELS = ("flight-delay-trees", "flight-delay-linear")
OUTPUTS = ("prediction", "label", "probabilities")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("demo") / "home"


@pytest.fixture(scope="module")
def ended(home):
    """The demo, at its end."""
    system = System(home, EMBEDDED)
    try:
        arguments = (
            "--requests",
            str(REQUESTS),
            "--paced",
            "2",
            "--features-from-store",
            "--json",
            str(home.with_name("report.json")),
        )
        ended = system.ekiben("demo", *arguments, deadline_s=280)
        assert ended.returncode == 0, ended
        assert system.processes() == []
    finally:
        system.kill_all()
    return ended


@pytest.fixture(scope="module")
def port(home, ended):
    """Of the gateway over what the demo left behind."""
    free = free_port()
    with running(home, {**EMBEDDED, "EKIBEN_HTTP_PORT": str(free)}):
        with InferenceServerClient(f"127.0.0.1:{free}") as client:
            for model in MODELS:
                until(partial(client.is_model_ready, model), f"{model} to be served again")
        yield free


@pytest.fixture
def client(port):
    with InferenceServerClient(f"127.0.0.1:{port}") as found:
        yield found


def test_every_record_of_the_demo_is_accounted_for(home, ended):
    report = json.loads(home.with_name("report.json").read_text())
    assert report["sent"] >= REQUESTS
    assert report["sent"] == report["completed"] + report["failed"] + report["unreadable"]
    assert report["lost"] == 0
    assert report["completed"] >= REQUESTS
    assert report["unreadable"] > 0
    assert report["dead_letters"] >= report["unreadable"]
    assert all(0.5 < auc < 1.0 for auc in report["auc"].values())
    assert len(report["auc"]) == 3
    assert {
        "duplicates",
        "requests_per_second",
        "p50_ms",
        "p95_ms",
        "p99_ms",
        "seconds",
        "rss_mb",
    } <= report.keys()
    assert "requests a second" in ended.stdout


def test_the_same_flights_are_answered_from_the_feature_store_and_its_cost_is_told(home, ended):
    report = json.loads(home.with_name("report.json").read_text())
    assert report["completed"] >= 2 * REQUESTS
    from_store = report["features_from_store"]
    ratio = from_store["requests_per_second"] / report["requests_per_second"]
    assert from_store["to_brought"] == pytest.approx(ratio, rel=0.01)
    assert from_store["us_per_entity"] > 0
    assert "Features from the store" in ended.stdout


def test_a_flight_that_the_store_knows_needs_no_features_and_one_that_it_does_not_is_told(home, port):
    lines = (home / "replay" / "requests.jsonl").read_text().splitlines()
    brought = {**json.loads(lines[7]), "model": MODELS[0], "request_id": "brought"}
    bare = {**brought, "features": None, "request_id": "bare"}
    ask = partial(httpx.post, f"http://127.0.0.1:{port}/v1/predictions", timeout=30)
    until(lambda: ask(json=bare).status_code == 200, "the feature store to be open")
    assert ask(json=bare).json()["prediction"] == ask(json=brought).json()["prediction"]
    unseen = ask(json={**bare, "entity_id": "nobody"})
    assert (unseen.status_code, unseen.json()["code"]) == (422, "missing_features")
    assert "scheduled_minutes" in unseen.json()["detail"] or "more" in unseen.json()["detail"]


@pytest.mark.parametrize("model", MODELS)
def test_the_demos_models_answer_the_reference_client_in_json_and_in_binary_alike(client, port, model):
    texts = [one["name"] for one in client.get_model_metadata(model)["inputs"] if one["datatype"] == "BYTES"]
    assert texts == ["carrier", "origin", "dest"]
    document = httpx.get(f"http://127.0.0.1:{port}/openapi.json").json()
    example = _example(document, "/v1/predictions")
    columns = {name: np.array([value] * 2, _dtype(value)) for name, value in example["features"].items()}
    answers = [_infer(client, model, columns, binary=binary) for binary in (True, False)]
    asked = {**example, "model": model, "request_id": f"r-{model}"}
    single = httpx.post(f"http://127.0.0.1:{port}/v1/predictions", json=asked, timeout=30).json()
    for answer in answers:
        np.testing.assert_array_equal(answer.as_numpy("prediction"), [single["prediction"]] * 2)
        assert set(map(_text, answer.as_numpy("label"))) == {single["label"]}
        classes = json.loads(answer.get_output("probabilities")["parameters"]["classes"])
        assert [dict(zip(classes, row, strict=True)) for row in answer.as_numpy("probabilities")] == [
            single["probabilities"]
        ] * 2
        assert answer.get_response()["model_version"] == single["version"] == "1"
    assert {"binary_data_size" in answers[0].get_output(name)["parameters"] for name in OUTPUTS} == {True}
    assert answers[1].get_output("prediction")["data"] == [single["prediction"]] * 2


def test_what_the_documents_show_can_be_sent_as_it_stands(port):
    url = f"http://127.0.0.1:{port}"
    document = httpx.get(f"{url}/openapi.json").json()
    model, paths = MODELS[0], document["paths"]
    shown = {path: _example(document, path) for path, said in paths.items() if "post" in said}
    assert len(shown) == 5
    for number, (path, body) in enumerate(shown.items()):
        sent = json.loads(json.dumps(body).replace('"r-1"', f'"shown-{number}"'))
        answer = httpx.post(url + path.format(model=model, version="1"), json=sent, timeout=30)
        assert answer.status_code == 200, (path, answer.text)
        assert answer.json().get("refused", 0) == 0, answer.text


def test_the_snippet_of_the_inference_protocols_page_runs(port):
    (snippet,) = re.findall(r"```python\n(.*?)```", (DOCS / "inference-protocol.md").read_text(), re.DOTALL)
    assert snippet.count("127.0.0.1:8080") == 1
    told: dict[str, Any] = {"key": "nobody asks for one on loopback"}
    exec(snippet.replace("127.0.0.1:8080", f"127.0.0.1:{port}"), told)  # noqa: S102 - the page's own code
    told["client"].close()
    assert told["answer"].as_numpy("prediction").shape == (2,)


def _example(document, path):
    return document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]


def _dtype(value):
    return object if isinstance(value, str) else np.int64


def _infer(client, model, columns, *, binary):
    inputs = [
        InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype)).set_data_from_numpy(
            values, binary_data=binary
        )
        for name, values in columns.items()
    ]
    wanted = [InferRequestedOutput(name, binary_data=binary) for name in OUTPUTS]
    return client.infer(model, inputs, outputs=wanted)


def _text(label):
    return label.decode() if isinstance(label, bytes) else label
