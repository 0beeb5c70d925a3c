"""AsyncAPI's official parser takes the document, those of clusters with logins too, and no broken one."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ekiben.cli.app import app
from ekiben_contracts.checked_in import ASYNCAPI, HERE
from ekiben_contracts.topics import TOPICS
from integration.documents.node_project import NodeProject

CHECKED_IN = HERE / ASYNCAPI
STANDS_OUT = {"asyncapi-latest-version"}
"""Told, and meant: more tools know 3.0 than 3.1, which adds the bindings of other protocols alone."""
NOBODY = {"KAFKA_BOOTSTRAP_SERVERS": None, "EKIBEN_TOPIC_PREFIX": None}
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

CLUSTERS: Mapping[str, tuple[Mapping[str, str], str, list[str]]] = {
    "plain": ({}, "kafka", []),
    "mutual-tls": ({"security_protocol": "SSL", "ssl_certfile": "me.pem"}, "kafka-secure", ["X509"]),
    "password": (
        {"security_protocol": "SASL_SSL", "sasl_username": "ayumi", "sasl_password": "wakame"},
        "kafka-secure",
        ["scramSha512"],
    ),
    "token": (
        {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "OAUTHBEARER",
            "sasl_oauth_token_endpoint": "https://login.example/token",
            "sasl_oauth_client_id": "ayumi",
            "sasl_oauth_client_secret": "wakame",
            "sasl_oauth_scope": "kafka",
        },
        "kafka-secure",
        ["oauth2"],
    ),
    "token-file": (
        {"security_protocol": "SASL_SSL", "sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_file": "token"},
        "kafka-secure",
        ["http"],
    ),
}
"""Settings of how to reach a cluster, the protocol and the login that its document has to name."""


@pytest.fixture(scope="module")
def told(node: NodeProject, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What the parser said of each document, by the name of its file: one start of Node for all."""
    folder = tmp_path_factory.mktemp("asyncapi")
    (folder / "checked-in").write_bytes(CHECKED_IN.read_bytes())
    for name, (settings, _, _) in CLUSTERS.items():
        (folder / name).write_text(of_a_cluster(settings), "utf-8")
    for breaking in BROKEN:
        document = json.loads(CHECKED_IN.read_text("utf-8"))
        breaking(document)
        (folder / breaking.__name__).write_text(json.dumps(document), "utf-8")
    files = sorted(folder.iterdir())
    said = json.loads(node.run("parse.ts", *files))
    return {file.name: {**said[str(file)], "text": file.read_text("utf-8")} for file in files}


def of_a_cluster(settings: Mapping[str, str]) -> str:
    """The document of a cluster with a prefix, as the command prints it."""
    command = ["topics", "asyncapi", "-b", "kafka-1:9093,kafka-2:9093", "--topic-prefix", "staging."]
    environment = {f"KAFKA_{name.upper()}": value for name, value in settings.items()}
    printed = CliRunner().invoke(app, command, env=environment)
    assert printed.exit_code == 0, printed.output
    return printed.stdout


def test_the_parser_takes_what_is_checked_in(told: Mapping[str, Any]):
    said = told["checked-in"]

    assert said["accepted"]
    assert {found["code"] for found in said["diagnostics"]} <= STANDS_OUT
    assert set(said["channels"]) == {topic.name for topic in TOPICS} | {"{topic}.{group}.dlq"}


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_parser_takes_the_document_of_a_cluster(told: Mapping[str, Any], cluster: str):
    said, (_, protocol, logins) = told[cluster], CLUSTERS[cluster]

    assert said["accepted"]
    assert {found["code"] for found in said["diagnostics"]} <= STANDS_OUT
    assert all(address.startswith("staging.") for address in said["channels"])
    assert said["servers"] == [
        {"host": f"kafka-{number}:9093", "protocol": protocol, "security": logins} for number in (1, 2)
    ]
    assert "staging.inference-gateway" in said["text"]
    assert "wakame" not in said["text"]


@pytest.mark.parametrize("breaking", BROKEN, ids=lambda breaking: breaking.__name__)
def test_the_parser_refuses_a_broken_one(told: Mapping[str, Any], breaking: Callable[[Document], None]):
    said = told[breaking.__name__]

    errors = [found for found in said["diagnostics"] if found["severity"] == "error"]
    assert not said["accepted"]
    assert any(BROKEN[breaking] in error["path"] for error in errors), errors


def test_without_a_broker_the_document_has_no_servers(tmp_path: Path):
    printed = CliRunner().invoke(app, ["topics", "asyncapi", "--home", str(tmp_path)], env=NOBODY)

    assert printed.stdout == CHECKED_IN.read_text("utf-8")
    assert "-b HOST:PORT adds them" in printed.stderr
