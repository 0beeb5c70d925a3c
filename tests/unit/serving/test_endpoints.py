"""The file that says where models answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from ekiben_serving.endpoints import EndpointsFileError, ModelClientFactory, read_endpoints
from ekiben_serving.failover import FailoverModelClient
from ekiben_serving.http_client import HTTPModelClient
from ekiben_serving.inprocess import InProcessModelClient
from ekiben_serving.json_client import JSONModelClient

GOOD = """
models:
  delay:
    version: "3"
    endpoints:
      - url: ${DELAY_URL:-http://127.0.0.1:3001}
        timeout_s: 0.5
      - model_uri: models:/delay/3
  weather:
    version: "1"
    endpoints: [{url: "http://127.0.0.1:3002"}]
  minutes:
    version: "1"
    endpoints: [{model_uri: "models:/minutes/1"}]
"""


@pytest.fixture
def write(tmp_path: Path):
    def written(text: str) -> Path:
        path = tmp_path / "model_endpoints.yaml"
        path.write_text(text)
        return path

    return written


async def test_the_order_of_a_models_endpoints_is_the_order_they_are_asked_in(write):
    factory = ModelClientFactory(read_endpoints(write(GOOD), {}))
    kinds = {name: type(factory.client(name)) for name in ("delay", "weather", "minutes")}
    assert kinds == {
        "delay": FailoverModelClient,
        "weather": HTTPModelClient,
        "minutes": InProcessModelClient,
    }
    await factory.close()


async def test_a_client_is_made_once(write):
    factory = ModelClientFactory(read_endpoints(write(GOOD), {}))
    assert factory.client("weather") is factory.client("weather")
    await factory.close()


def test_variables_are_filled_in(write):
    endpoints = read_endpoints(write(GOOD), {"DELAY_URL": "http://10.0.0.7:3000"})
    assert endpoints.models["delay"].endpoints[0].url == "http://10.0.0.7:3000"
    assert read_endpoints(write(GOOD), {}).models["delay"].endpoints[0].url == "http://127.0.0.1:3001"


def test_an_empty_file_names_no_model(write):
    assert read_endpoints(write(""), {}).models == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("models: {delay: {version: '1', endpoints: []}}", "endpoints"),
        ("models: {delay: {version: '1', endpoints: [{}]}}", "either url or model_uri"),
        ("models: {delay: {version: '1', endpoints: [{url: 'ftp://x'}]}}", "url"),
        ("models: {delay: {version: '1', endpoints: [{url: 'http://x', typo: 1}]}}", "typo"),
        ("models: {'a b': {version: '1', endpoints: [{url: 'http://x'}]}}", "a b"),
        ("models: [", "YAML"),
        ("models: {delay: {version: '1', endpoints: [{url: '${NOWHERE}'}]}}", "NOWHERE"),
        ("!!python/object/apply:os.system ['true']", "python/object"),
    ],
)
def test_what_is_wrong_is_named(write, text: str, said: str):
    with pytest.raises(EndpointsFileError, match=said):
        read_endpoints(write(text), {})


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(EndpointsFileError, match=r"none\.yaml"):
        read_endpoints(tmp_path / "none.yaml", {})


def test_the_file_of_this_repository_and_its_example_can_be_read(write):
    text = (Path(__file__).parents[3] / "config" / "model_endpoints.yaml").read_text()
    assert read_endpoints(write(text), {}).models == {}
    lines = text.splitlines()
    example = [line.removeprefix("# ") for line in lines[lines.index("# models:") : -1]]
    (trees,) = read_endpoints(write("\n".join(example)), {}).models.values()
    assert [endpoint.address for endpoint in trees.endpoints] == [
        "http://127.0.0.1:3001",
        "models:/flight-delay-trees/1",
    ]


async def test_an_api_of_somebodys_own_is_asked_in_json(write):
    text = """
models:
  price:
    version: "1"
    signature: [{name: area, dtype: double}]
    endpoints: [{url: "http://127.0.0.1:3001", api: /estimate, parameter: flats}]
"""
    factory = ModelClientFactory(read_endpoints(write(text), {}))
    assert type(factory.client("price")) is JSONModelClient
    await factory.close()


@pytest.mark.parametrize(
    ("endpoint", "told"),
    [
        ('{model_uri: "models:/price/1", api: /estimate}', "api beside a url"),
        ('{url: "http://127.0.0.1:3001", api: estimate}', "api"),
    ],
)
def test_an_api_that_cannot_be_asked_is_named(write, endpoint, told):
    text = f'models: {{price: {{version: "1", endpoints: [{endpoint}]}}}}'
    with pytest.raises(EndpointsFileError, match=told):
        read_endpoints(write(text), {})
