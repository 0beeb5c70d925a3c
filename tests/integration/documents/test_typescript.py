"""A program in TypeScript that knows the checked-in documents alone reads what Ekiben writes."""

import asyncio
import json
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conftest import delete_topics
from ekiben_bus.brokers.ladder import Broker
from ekiben_bus.cluster import KafkaCluster
from ekiben_bus.naming import Naming
from ekiben_bus.outbox import Author, write
from ekiben_bus.publishing import PartitionPublisher, WireRecord
from ekiben_bus.topics import apply_topics
from ekiben_bus.verdicts import Outgoing
from ekiben_contracts.checked_in import HERE, SCHEMAS, read
from ekiben_contracts.checks.derived import asyncapi_of, examples_of
from ekiben_contracts.checks.subject import SUBJECT
from ekiben_contracts.cloudevents import decode
from ekiben_contracts.documents import render
from ekiben_contracts.errors import ContractError
from ekiben_contracts.prediction import PredictionCompleted, PredictionRequested
from ekiben_contracts.topics import PREDICTION_REQUESTS, PREDICTION_RESULTS
from faults.corpus import CORPUS
from integration.documents.node_project import NodeProject, project

NOW = datetime(2026, 3, 1, tzinfo=UTC)
EXAMPLES: Mapping[str, Any] = examples_of(read())
COMPLETED = PredictionCompleted.type
SMALL = 64 * 1024
WIDE = 2**53 + 1
"""The first whole number that JavaScript's numbers do not have."""
STRANGE = {
    str(number): hostile
    for number, hostile in enumerate(CORPUS)
    if not (hostile.headers or hostile.packed) and len(hostile.value or b"") < SMALL
}
"""What anybody might send as bare JSON, by a key."""
BEYOND_A_SCHEMA = {
    "a request with 500 lists beside",  # deeper than the reader goes
    "requested_at 5: 0000-01-01T00:00:00Z",  # RFC 3339 has that year, Python has not
}
Told = Sequence[Mapping[str, Any]]


def examples(naming: Naming) -> Iterator[WireRecord]:
    """An event of every type, written as every service writes."""
    author = Author("tests", "1", naming)
    for topic in SUBJECT.topics:
        for event in topic.types:
            data = event.model_validate(EXAMPLES[event.type])
            yield write(Outgoing(topic, data, f"example/{event.type}"), author, NOW)
    wide = PredictionRequested(model="m", entity_id="e", features={"wide": WIDE})
    yield write(Outgoing(PREDICTION_REQUESTS, wide, "wide"), author, NOW)


def broken(naming: Naming) -> Iterator[WireRecord]:
    """What no service of ours writes: a result that is wrong in three places, and one of a later version."""
    result = {**EXAMPLES[COMPLETED], "confidence": "high", "completed_at": "yesterday"}
    result["outputs"] = [{**result["outputs"][0], "value": None}]
    del result["method"]
    for name, event_type in (("wrong", COMPLETED), ("later", "ekiben.prediction.completed.v9")):
        headers = [("ce_type", event_type.encode()), ("ce_id", name.encode())]
        topic = naming.topic(PREDICTION_RESULTS)
        yield WireRecord(topic, None, name.encode(), json.dumps(result).encode(), headers)


def strange(naming: Naming) -> Iterator[WireRecord]:
    for key, hostile in STRANGE.items():
        yield WireRecord(naming.topic(PREDICTION_REQUESTS), None, key.encode(), hostile.value, [])


async def publish(kafka: Broker, naming: Naming) -> None:
    await apply_topics(kafka.settings, naming)
    publisher = PartitionPublisher(KafkaCluster(kafka.settings))
    await publisher.start()
    try:
        await publisher.publish([*examples(naming), *broken(naming), *strange(naming)])
    finally:
        await publisher.stop()


@pytest.fixture(scope="module")
def told(node: NodeProject, kafka: Broker) -> Iterator[Told]:
    """What the program said of each record: it reads them all in one go."""
    prefix = f"test-{secrets.token_hex(4)}."
    asyncio.run(publish(kafka, Naming(prefix)))
    (node.folder / "asyncapi.json").write_text(render(asyncapi_of(SUBJECT, read(), prefix=prefix)), "utf-8")
    yield json.loads(node.run("consume.ts", kafka.bootstrap_servers, "asyncapi.json", HERE / SCHEMAS))
    asyncio.run(delete_topics(kafka.settings, prefix))


def of(told: Told, ce_id: str) -> Mapping[str, Any]:
    (one,) = [record for record in told if record.get("id") == ce_id]
    return one


@pytest.mark.kafka
def test_an_event_of_every_type_is_valid_and_unchanged(told: Told):
    examples = [record for record in told if record.get("id", "").startswith("example/")]

    assert [record for record in examples if record["faults"]] == []
    assert {record["type"]: record["data"] for record in examples} == EXAMPLES


@pytest.mark.kafka
def test_a_result_is_told_in_words(told: Told):
    result = EXAMPLES[COMPLETED]
    assert of(told, f"example/{COMPLETED}")["words"] == (
        f"{result['entity_id']}: {result['label']}, confidence {result['confidence']}"
    )


@pytest.mark.kafka
def test_a_broken_record_is_refused_by_its_fields(told: Told):
    faults = {fault["field"]: fault["message"] for fault in of(told, "wrong")["faults"]}

    assert faults == {
        "method": "must have required property 'method'",
        "confidence": "must be number",
        "completed_at": 'must match format "date-time"',
        "outputs.0.value": "must be number",
    }


@pytest.mark.kafka
def test_a_version_that_is_not_known_yet_is_refused(told: Told):
    assert of(told, "later")["faults"] == [{"field": "ce_type", "message": "no schema is called like that"}]


@pytest.mark.kafka
def test_a_whole_number_that_javascript_would_round_can_be_read_exactly(told: Told):
    assert of(told, "wide")["data"]["features"] == {"wide": f"{WIDE}n"}


@pytest.mark.kafka
def test_the_schemas_refuse_what_ekiben_refuses_and_nothing_else(told: Told):
    refused_there = {record["key"]: bool(record["faults"]) for record in told if record["key"] in STRANGE}
    refused_here = {key: is_refused(hostile.value) for key, hostile in STRANGE.items()}

    differ = {STRANGE[key].name for key, refused in refused_here.items() if refused_there[key] != refused}
    assert differ == BEYOND_A_SCHEMA
    assert sum(refused_here.values()) > 100
    assert len(STRANGE) - sum(refused_here.values()) > 40


def is_refused(value: bytes | None) -> bool:
    try:
        decode(value, [], PREDICTION_REQUESTS)
    except ContractError:
        return True
    return False


@pytest.fixture
def typed(node: NodeProject, pytestconfig: pytest.Config, tmp_path: Path) -> NodeProject:
    """The program beside types that are made of the schemas."""
    program = project(pytestconfig.cache.mkdir("node"), tmp_path / "node")
    program.make_types(HERE / SCHEMAS)
    return program


def test_the_program_fits_the_types_that_are_made_of_the_schemas(typed: NodeProject):
    assert typed.compiler_errors() == []


def test_the_compiler_finds_what_a_change_of_a_schema_breaks(typed: NodeProject, tmp_path: Path):
    changed = shutil.copytree(HERE / SCHEMAS, tmp_path / "changed")
    file = changed / f"{COMPLETED}.json"
    file.write_text(file.read_text("utf-8").replace('"confidence"', '"certainty"'), "utf-8")
    typed.make_types(changed)

    assert [error for error in typed.compiler_errors() if "'confidence'" in error]
