"""The OpenAPI document against what answers: every check, on every operation and on chains of them."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ekiben_contracts.topics import MODEL_OUTPUTS
from ekiben_inference_gateway.http.openapi import EXAMPLE
from ekiben_inference_gateway.http.routes import ModelName, Routes
from integration.gateway.asking import FEATURES, route
from integration.gateway.speaking import Speaking
from integration.served import Logged, Served
from unit.gateway.building import ensemble

ST = Path(sys.executable).with_name("st")
MODEL = EXAMPLE["model"]
OPERATIONS = 14
LINKS_INFERRED = 3


class Told(NamedTuple):
    """How schemathesis ended, and what it said."""

    exit_code: int
    text: str


@pytest.fixture
def gateway() -> Speaking:
    return Speaking()


async def examine(gateway: Speaking, folder: Path, config: str, *options: str) -> Told:
    """Let it ask whatever follows from the document; the document's examples are of the model here."""
    (folder / "schemathesis.toml").write_text(config)
    (folder / "openapi.json").write_text(await told_by(gateway))
    command = [str(ST), "--config-file", "schemathesis.toml", "run", "openapi.json", "--url", gateway.url]
    command += ["--checks", "all", "--seed", "7", "--no-color", "--suppress-health-check", "all", *options]
    asking = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=folder
    )
    said, _ = await asking.communicate()
    assert asking.returncode is not None
    return Told(asking.returncode, said.decode())


async def told_by(gateway: Speaking) -> str:
    """The document, with its model's name and features replaced by those of the model that is served."""
    async with httpx.AsyncClient(base_url=gateway.url) as client:
        document = (await client.get("/openapi.json")).json()
    infer = document["paths"]["/v2/models/{model}/infer"]["post"]["requestBody"]["content"]
    tensors = infer["application/json"]["example"]["inputs"]
    served = [_tensor(name, value) for name, value in FEATURES.items()]
    text = json.dumps(document)
    for old, new in ((tensors, served), (EXAMPLE["features"], dict(FEATURES)), (MODEL, "late")):
        assert json.dumps(old) in text
        text = text.replace(json.dumps(old), json.dumps(new))
    return text


def _tensor(name: str, value: object) -> dict[str, object]:
    datatype = {str: "BYTES", float: "FP64", int: "INT64", bool: "BOOL"}[type(value)]
    return {"name": name, "shape": [1], "datatype": datatype, "data": [value]}


def accepting(*statuses: int) -> str:
    """What may be answered to what the document calls valid: models and features are not its business."""
    return (
        f'[checks.positive_data_acceptance]\nexpected-statuses = ["2xx", {", ".join(map(str, statuses))}]\n'
    )


async def test_nothing_is_found_on_the_whole_document_and_on_chains_of_its_links(
    gateway: Speaking, classifier: Logged, served: Served, tmp_path: Path
) -> None:
    both = ensemble("both", ["late", "absent"])
    async with gateway.over(route(classifier.event, served.url), both):
        told = await examine(gateway, tmp_path, accepting(400, 404, 422), "--max-examples", "30")
        answered = await gateway.kafka.events(MODEL_OUTPUTS, 1)
    assert told.exit_code == 0, told.text
    assert f"{OPERATIONS} selected / {OPERATIONS} total" in told.text
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert re.search(rf"✅ +{phase}", told.text), told.text
    links = re.search(r"API Links: +(\d+) covered", told.text)
    assert links is not None, told.text
    assert int(links[1]) > LINKS_INFERRED, told.text
    assert "No links point to" not in told.text, told.text
    assert re.search(r"(\d+) generated, \1 passed", told.text), told.text
    assert {event.model for event in answered} == {"late"}  # type: ignore[attr-defined]


async def test_nothing_is_found_on_the_inference_protocol_where_the_model_is_there(
    gateway: Speaking, classifier: Logged, served: Served, tmp_path: Path
) -> None:
    """Tensors may be of the right form and still not fit each other, or the model."""
    named = f'[parameters]\nmodel = "late"\nversion = "{classifier.event.version}"\n'
    options = ("--include-path-regex", "^/v2", "--max-examples", "20")
    async with gateway.over(route(classifier.event, served.url)):
        told = await examine(gateway, tmp_path, named + accepting(400, 422), *options)
    assert told.exit_code == 0, told.text
    assert f"9 selected / {OPERATIONS} total" in told.text
    assert "repeatedly returned 404" not in told.text


async def _undocumented(_self: Routes, request: Request) -> Response:
    return JSONResponse({"models": []}, 202)


async def _misshapen(_self: Routes, request: Request) -> Response:
    return JSONResponse({"models": [{"name": 7}]})


async def _broken_where_it_is_there(_self: Routes, request: Request, model: ModelName) -> Response:
    return JSONResponse({"model": model} if model == "late" else {"found": "nobody"}, 200)


class Planted(NamedTuple):
    """A route that breaks its promise, and what finds it."""

    route: str
    handler: object
    phase: str
    found: str


PLANTED = {
    "an undocumented status": Planted("models", _undocumented, "fuzzing", "Undocumented status code"),
    "a wrong schema": Planted("models", _misshapen, "fuzzing", "Response violates schema"),
    "a wrong schema at the end of a link": Planted(
        "health", _broken_where_it_is_there, "stateful", "Response violates schema"
    ),
}


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
async def test_a_defect_is_found(
    gateway: Speaking,
    monkeypatch: pytest.MonkeyPatch,
    classifier: Logged,
    served: Served,
    tmp_path: Path,
    planted: Planted,
) -> None:
    monkeypatch.setattr(Routes, planted.route, planted.handler)
    options = ("--include-path-regex", "^/v1/models", "--phases", planted.phase, "--max-examples", "3")
    async with gateway.over(route(classifier.event, served.url)):
        told = await examine(gateway, tmp_path, accepting(404), *options)
    assert told.exit_code == 1, told.text
    assert planted.found in told.text
