"""AsyncAPI's official parser takes the document, that of a cluster with a login too, and no broken one."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ekiben_contracts.checked_in import ASYNCAPI, HERE
from ekiben_contracts.topics import TOPICS
from integration.documents.node_project import NodeProject

CHECKED_IN = HERE / ASYNCAPI
STANDS_OUT = {"asyncapi-latest-version"}
"""Told, and meant: more tools know 3.0 than 3.1, which adds the bindings of other protocols alone."""
Document = dict[str, Any]


def no_such_channel(document: Document) -> None:
    document["operations"]["users.send.ekiben.prediction-requests"]["channel"]["$ref"] = "#/channels/gone"


def publish(document: Document) -> None:
    document["operations"]["users.send.ekiben.prediction-requests"]["action"] = "publish"


def partitions_as_text(document: Document) -> None:
    document["channels"]["ekiben.routes"]["bindings"]["kafka"]["partitions"] = "four"


def no_type_of_schema(document: Document) -> None:
    document["components"]["schemas"]["Interval"]["properties"]["low"]["type"] = "double"


BROKEN: Mapping[Callable[[Document], None], str] = {
    no_such_channel: "operations.users.send.ekiben.prediction-requests.channel",
    publish: "operations.users.send.ekiben.prediction-requests.action",
    partitions_as_text: "bindings.kafka.partitions",
    no_type_of_schema: "low.type",
}


@pytest.fixture(scope="module")
def told(node: NodeProject, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What the parser said of each document, by the name of its file: one start of Node for all."""
    folder = tmp_path_factory.mktemp("asyncapi")
    (folder / "checked-in").write_bytes(CHECKED_IN.read_bytes())
    (folder / "of-a-cluster").write_bytes(of_a_cluster())
    for breaking in BROKEN:
        document = json.loads(CHECKED_IN.read_text("utf-8"))
        breaking(document)
        (folder / breaking.__name__).write_text(json.dumps(document), "utf-8")
    files = sorted(folder.iterdir())
    return {Path(file).name: said for file, said in json.loads(node.run("parse.ts", *files)).items()}


def of_a_cluster() -> bytes:
    """The document of a secured cluster with a prefix, as the command prints it."""
    environment = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_USERNAME": "ayumi"}
    command = ["-b", "kafka-1:9093,kafka-2:9093", "--topic-prefix", "staging."]
    return subprocess.run(
        [Path(sys.executable).with_name("ekiben"), "topics", "asyncapi", *command],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        timeout=60,
    ).stdout


def test_the_parser_takes_what_is_checked_in(told: Mapping[str, Any]):
    said = told["checked-in"]

    assert said["accepted"]
    assert {found["code"] for found in said["diagnostics"]} <= STANDS_OUT
    assert set(said["channels"]) == {topic.name for topic in TOPICS} | {"{topic}.{group}.dlq"}


def test_the_parser_takes_the_document_of_a_cluster_with_a_login(told: Mapping[str, Any]):
    said = told["of-a-cluster"]

    assert said["accepted"]
    assert {found["code"] for found in said["diagnostics"]} <= STANDS_OUT
    assert all(address.startswith("staging.") for address in said["channels"])
    assert said["servers"] == [
        {"host": f"kafka-{number}:9093", "protocol": "kafka-secure", "security": ["scramSha512"]}
        for number in (1, 2)
    ]


@pytest.mark.parametrize("breaking", BROKEN, ids=lambda breaking: breaking.__name__)
def test_the_parser_refuses_a_broken_one(told: Mapping[str, Any], breaking: Callable[[Document], None]):
    said = told[breaking.__name__]

    errors = [found for found in said["diagnostics"] if found["severity"] == "error"]
    assert not said["accepted"]
    assert any(BROKEN[breaking] in error["path"] for error in errors), errors
