"""On real Kafka: whoever asks after a model's route was written is never told that nobody knows it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition

from ekiben_bus.cluster import Consumer, KafkaCluster
from ekiben_bus.publishing import PartitionPublisher, WireRecord
from ekiben_bus.records import Record
from ekiben_bus.service import Service
from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_contracts.routing import EnsembleDefined, ModelRouted
from ekiben_contracts.topics import MODEL_OUTPUTS, PREDICTION_REQUESTS, PREDICTION_RESULTS, ROUTES
from ekiben_inference_gateway.app import build
from ekiben_inference_gateway.settings import GatewaySettings
from faults.outside import Reader
from unit.gateway.building import FEATURES, FakeModels, ensemble, model
from unit.in_memory import running

MODELS = 40
LAG_S = 0.2
WITHIN_S = 30.0


class LateTables(KafkaCluster):
    """Whoever reads without a group, as tables do, gets each record a while after it was written."""

    def consumer(self, **options: Any) -> Consumer:
        consumer = super().consumer(**options)
        if options.get("group_id") is None:
            read = consumer.getmany

            async def late(*places: TopicPartition, **rest: Any) -> Mapping[TopicPartition, Sequence[Record]]:
                found = await read(*places, **rest)
                await asyncio.sleep(LAG_S if found else 0)
                return found

            consumer.getmany = late
        return consumer


@pytest.fixture(params=[KafkaCluster, LateTables], ids=["table", "a table that lags"])
def gateway(request: pytest.FixtureRequest, kafka_settings: KafkaSettings, topic_prefix: str) -> Service:
    cluster = request.param(kafka_settings)
    return build(GatewaySettings(), ServiceSettings(topic_prefix=topic_prefix), cluster, FakeModels().open)


class Writer:
    """Writes routes and requests, each acknowledged before the next."""

    def __init__(self, publisher: PartitionPublisher, prefix: str) -> None:
        self._publisher = publisher
        self._prefix = prefix

    async def route(self, event: ModelRouted | EnsembleDefined) -> None:
        headers = [("ce_type", event.type.encode())]
        await self._write(
            WireRecord(self._prefix + ROUTES.name, 0, event.key.encode(), event.to_json(), headers)
        )

    async def ask(self, name: str, partition: int) -> None:
        body = {"request_id": name, "model": name, "entity_id": name, "features": FEATURES}
        topic = self._prefix + PREDICTION_REQUESTS.name
        await self._write(WireRecord(topic, partition, name.encode(), json.dumps(body).encode(), []))

    async def _write(self, record: WireRecord) -> None:
        await self._publisher.publish([record])


@pytest.fixture
async def writer(kafka_settings: KafkaSettings, topic_prefix: str) -> AsyncIterator[Writer]:
    publisher = PartitionPublisher(KafkaCluster(kafka_settings))
    await publisher.start()
    yield Writer(publisher, topic_prefix)
    await publisher.stop()


@pytest.mark.kafka
async def test_a_model_whose_route_was_written_before_the_request_is_never_unknown(
    gateway: Service, writer: Writer, kafka_settings: KafkaSettings, topic_prefix: str
) -> None:
    outputs, results = topic_prefix + MODEL_OUTPUTS.name, topic_prefix + PREDICTION_RESULTS.name
    names = [f"model-{number}" for number in range(MODELS)]
    await writer.route(model("first"))
    async with running(gateway):
        await writer.ask("first", 0)  # the gateway reads, and its table stands behind the routes below
        reader = Reader(kafka_settings.bootstrap_servers, outputs, results)
        await reader.until(lambda: reader.records, WITHIN_S)
        for number, name in enumerate(names):
            await writer.route(model(name))
            await writer.ask(name, number % PREDICTION_REQUESTS.partitions)
        await writer.route(ensemble("both", ["first", "last"], missing_policy="all"))
        await writer.route(model("last"))
        await writer.ask("both", 1)
        await reader.until(lambda: len(reader.records) >= MODELS + 2, WITHIN_S)
        reader.close()
    assert reader.of(results) == []
    assert {(record.key or b"").decode() for record in reader.of(outputs)} == {"first", *names, "both"}
    (both,) = [json.loads(r.value or b"") for r in reader.of(outputs) if r.key == b"both"]
    assert both["missing"] == []


@pytest.mark.kafka
async def test_a_model_that_really_has_no_route_is_told(
    gateway: Service, writer: Writer, kafka_settings: KafkaSettings, topic_prefix: str
) -> None:
    results = topic_prefix + PREDICTION_RESULTS.name
    async with running(gateway):
        await writer.ask("nobody", 0)
        reader = Reader(kafka_settings.bootstrap_servers, results)
        await reader.until(lambda: reader.records, WITHIN_S)
        reader.close()
    assert json.loads(reader.records[0].value or b"")["code"] == "unknown_model"
