"""The bus beside bare aiokafka: the same validation and the same result, in one run, as ratios.

    python benchmarks/bus.py [--events 100000] [--runs 3]

Both sides read the same requests and write one result each with four headers or more. The bare
side is getmany, pydantic, send_batch and nothing else: no dead letters, no order of commits, no
rebalance. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from ekiben_bus.brokers.ladder import broker
from ekiben_bus.cluster import BATCH_BYTES, KafkaCluster
from ekiben_bus.connection import client_options
from ekiben_bus.naming import Naming
from ekiben_bus.publishing import PartitionPublisher, WireRecord
from ekiben_bus.records import Received
from ekiben_bus.service import Service
from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_bus.topics import apply_topics
from ekiben_bus.verdicts import Emit, Outgoing, Verdict
from ekiben_contracts.cloudevents import encode
from ekiben_contracts.event import FeatureValue
from ekiben_contracts.identity import Stage, output_id
from ekiben_contracts.lean import REQUESTED
from ekiben_contracts.models import Method
from ekiben_contracts.prediction import Output, PredictionCompleted, PredictionRequested
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS, PREDICTION_RESULTS
from ekiben_telemetry.logging import configure

REQUESTS, RESULTS = PREDICTION_REQUESTS.name, PREDICTION_RESULTS.name
PARTITIONS = PREDICTION_REQUESTS.partitions
POLL_RECORDS = 1024


def result_of(request: PredictionRequested, now: datetime) -> PredictionCompleted:
    """What both sides answer."""
    return PredictionCompleted(
        request_id=request.request_id or "",
        model=request.model,
        entity_id=request.entity_id,
        time_horizon=request.time_horizon,
        prediction=0.5,
        confidence=0.5,
        method=Method.SINGLE,
        outputs=[Output(model=request.model, version="1", value=0.5, latency_ms=1.0)],
        latency_ms=1.0,
        completed_at=now,
    )


async def fill(kafka: KafkaSettings, events: int, prefix: str) -> None:
    publisher = PartitionPublisher(KafkaCluster(kafka))
    features: dict[str, FeatureValue] = {f"feature_{n}": n * 1.5 for n in range(10)}
    now = datetime.now(UTC)
    for start in range(0, events, 10_000):
        records: list[WireRecord] = []
        for n in range(start, min(start + 10_000, events)):
            request = PredictionRequested(
                request_id=f"r{n}",
                model="delay",
                entity_id=f"UA-{n % 500}",
                features=features,
                requested_at=now,
            )
            value, headers = encode(request, id=f"r{n}", source="/benchmark", time=now)
            records.append(
                WireRecord(prefix + REQUESTS, n % PARTITIONS, request.entity_id.encode(), value, headers)
            )
        await publisher.publish(records)
    await publisher.stop()


async def bare(kafka: KafkaSettings, events: int, prefix: str) -> float:
    """aiokafka and pydantic: events a second."""
    connection = client_options(kafka)
    consumer = AIOKafkaConsumer(
        prefix + REQUESTS,
        **connection,
        group_id=prefix + "bare",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(**connection, acks="all", enable_idempotence=True, max_batch_size=BATCH_BYTES)
    await consumer.start()
    await producer.start()
    done, started = 0, 0.0
    while done < events:
        found = await consumer.getmany(timeout_ms=500, max_records=POLL_RECORDS)
        started = started or time.perf_counter()
        now = datetime.now(UTC)
        batches = defaultdict(producer.create_batch)
        for place, records in found.items():
            for record in records:
                request = PredictionRequested.model_validate_json(record.value or b"")
                value, headers = encode(
                    result_of(request, now), id=f"{request.request_id}/result/1", source="/bare", time=now
                )
                batches[place.partition].append(timestamp=None, key=record.key, value=value, headers=headers)
                done += 1
        acknowledgements = [
            await producer.send_batch(batch, prefix + RESULTS, partition=partition)
            for partition, batch in batches.items()
        ]
        await asyncio.gather(*acknowledgements)
        await consumer.commit()
    seconds = time.perf_counter() - started
    await producer.stop()
    await consumer.stop()
    return events / seconds


async def ours(kafka: KafkaSettings, events: int, prefix: str) -> float:
    """The bus with the same work in its handler: events a second."""
    finished = asyncio.Event()
    done, started = 0, 0.0

    async def handle(batch: Sequence[Received]) -> Sequence[Verdict]:
        nonlocal done, started
        started = started or time.perf_counter()
        now = datetime.now(UTC)
        verdicts: list[Verdict] = []
        for received in batch:
            request = received.event
            assert isinstance(request, REQUESTED)
            completed = result_of(request, now)
            verdicts.append(
                Emit(
                    (Outgoing(PREDICTION_RESULTS, completed, output_id(completed.request_id, Stage.RESULT)),)
                )
            )
        done += len(batch)
        if done >= events:
            finished.set()
        return verdicts

    service = Service(GATEWAY, ServiceSettings(topic_prefix=prefix, batch_records=POLL_RECORDS), kafka)
    service.consume(PREDICTION_REQUESTS, handle)
    serving = asyncio.create_task(service.serve())
    await finished.wait()
    labels = {"topic": prefix + REQUESTS}
    while (service.registry.get_sample_value("ekiben_records_total", labels) or 0) < events:
        await asyncio.sleep(0.001)
    seconds = time.perf_counter() - started
    service.stop()
    await serving
    return events / seconds


async def compare(kafka: KafkaSettings, events: int, runs: int) -> dict[str, float]:
    sides: dict[str, Callable[[KafkaSettings, int, str], Awaitable[float]]] = {"bare": bare, "bus": ours}
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for run in range(runs + 1):
        for name, side in sides.items():
            prefix = f"{name}-{run}."
            await apply_topics(kafka, Naming(prefix))
            await fill(kafka, events, prefix)
            rate = await side(kafka, events, prefix)
            if run:  # the first is the warm-up
                rates[name].append(rate)
                print(f"  run {run}  {name:5} {rate:10,.0f} events/s")
    ratios = [ours / theirs for ours, theirs in zip(rates["bus"], rates["bare"], strict=True)]
    return {
        "bus_to_bare": round(statistics.median(ratios), 3),
        "bus_events_per_second": round(statistics.median(rates["bus"])),
        "bare_events_per_second": round(statistics.median(rates["bare"])),
        "events": events,
        "runs": runs,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    configure("benchmark", "ERROR")
    # as Service.run sets it, for both sides
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    with broker(None) as found:
        print(f"Kafka: {found.rung}, {options.events:,} events, {options.runs} runs")
        print(json.dumps(uvloop.run(compare(found.settings, options.events, options.runs))))


if __name__ == "__main__":
    main()
