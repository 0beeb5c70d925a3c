"""The AsyncAPI document says of every topic who sends and receives what, and leads nobody astray."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from typing import Any

import pytest
from jsonschema import Draft7Validator

from ekiben_contracts.catalog import EVENTS
from ekiben_contracts.checked_in import read
from ekiben_contracts.documents import asyncapi
from ekiben_contracts.prediction import PredictionRequested
from ekiben_contracts.topics import PREDICTION_REQUESTS, TOPICS, Topic
from unit.evolution.second_version import RequestedInHours

DOCUMENT: dict[str, Any] = json.loads(read().asyncapi or "{}")
every_topic = pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)


def resolve(reference: str) -> Any:
    return reduce(lambda node, step: node[step], reference.removeprefix("#/").split("/"), DOCUMENT)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from references(inner)


def test_every_reference_leads_somewhere():
    found = set(references(DOCUMENT))

    assert len(found) > len(EVENTS)
    assert all(isinstance(resolve(reference), dict) for reference in found)


@every_topic
def test_a_channel_tells_how_kafka_keeps_it(topic: Topic):
    channel = DOCUMENT["channels"][topic.name]
    kafka = channel["bindings"]["kafka"]

    assert channel["address"] == kafka["topic"] == topic.name
    assert kafka["partitions"] == topic.partitions
    assert kafka["topicConfiguration"] == {
        "cleanup.policy": ["compact" if topic.compacted else "delete"],
        "retention.ms": topic.retention_ms,
        "max.message.bytes": topic.max_message_bytes,
    }
    assert list(channel["messages"]) == [event.type for event in topic.types]


@every_topic
def test_every_writer_sends_and_every_reader_receives(topic: Topic):
    here = [o for o in DOCUMENT["operations"].values() if o["channel"]["$ref"] == f"#/channels/{topic.name}"]

    assert [o["tags"][0]["name"] for o in here if o["action"] == "send"] == list(topic.writers)
    assert [o["tags"][0]["name"] for o in here if o["action"] == "receive"] == list(topic.read_by)


def test_a_service_receives_in_the_group_of_its_name():
    gateway = DOCUMENT["operations"]["inference-gateway.receive.ekiben.prediction-requests"]
    users = DOCUMENT["operations"]["users.receive.ekiben.prediction-results"]

    assert gateway["bindings"]["kafka"]["groupId"]["const"] == "inference-gateway"
    assert "bindings" not in users


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_an_example_is_valid_by_its_message(event: type):
    message = DOCUMENT["components"]["messages"][event.type]
    (example,) = message["examples"]

    Draft7Validator(message["headers"]).validate(example["headers"])
    Draft7Validator({**message["payload"], "components": DOCUMENT["components"]}).validate(example["payload"])


def test_only_a_topic_of_several_types_requires_the_type_header():
    messages = DOCUMENT["components"]["messages"]

    assert messages["ekiben.prediction.requested.v1"]["headers"]["required"] == []
    assert messages["ekiben.prediction.failed.v1"]["headers"]["required"] == ["ce_type"]


def test_dead_letters_are_told_by_topic_and_group():
    channel = DOCUMENT["channels"]["dead-letters"]

    assert channel["address"] == "{topic}.{group}.dlq"
    assert "ekiben.prediction-requests" in channel["parameters"]["topic"]["enum"]
    assert "inference-gateway" in channel["parameters"]["group"]["enum"]


def test_a_table_has_no_dead_letters():
    assert "ekiben.routes" not in DOCUMENT["channels"]["dead-letters"]["parameters"]["topic"]["enum"]


def test_of_two_versions_the_newest_is_sent_and_both_are_received():
    topic = replace(PREDICTION_REQUESTS, types=(RequestedInHours,))
    document: Any = asyncapi((PredictionRequested, RequestedInHours), (topic,), {})
    sent, received = (
        document["operations"][f"{who}.{topic.name}"] for who in ("users.send", "inference-gateway.receive")
    )

    assert [each["$ref"].rpartition(".")[2] for each in sent["messages"]] == ["v2"]
    assert [each["$ref"].rpartition(".")[2] for each in received["messages"]] == ["v2", "v1"]
    assert len(document["channels"][topic.name]["messages"]) == 2


def test_a_record_without_a_type_is_of_the_first_version():
    topic = replace(PREDICTION_REQUESTS, types=(RequestedInHours,))
    document: Any = asyncapi((PredictionRequested, RequestedInHours), (topic,), {})

    required = {
        name: message["headers"]["required"] for name, message in document["components"]["messages"].items()
    }
    assert required == {PredictionRequested.type: [], RequestedInHours.type: ["ce_type"]}
