"""From samples of stacks to microseconds of an event's way, step by step."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

STEPS: Mapping[str, tuple[str, ...]] = {
    "read from Kafka": ("aiokafka.consumer", "ekiben_bus.careful", "ekiben_bus.header_names", "faststream"),
    "decode, validate": (
        "ekiben_contracts.cloudevents.decode",
        "ekiben_contracts.envelope",
        "ekiben_bus.deciding.Decider._read",
        "benchmarks.sides.bare_lean.LeanSkeleton._read",
        "benchmarks.sides.bare_contracts.ContractSkeleton._read",
    ),
    "admit, route": (
        "ekiben_inference_gateway.admission",
        "ekiben_inference_gateway.routing",
        "ekiben_inference_gateway.handler.request_of",
        "ekiben_contracts.identity",
    ),
    "build the body": (
        "ekiben_serving.batches",
        "ekiben_serving.columnar.columns",
        "ekiben_serving.columnar.building",
        "ekiben_inference_gateway.batching",
        "benchmarks.sides.bare_skeleton.Skeleton._body",
    ),
    "HTTP": (
        "ekiben_serving.exchange",
        "ekiben_serving.transport",
        "ekiben_serving.attempts",
        "aiohttp",
        "httpx",
        "httpx_aiohttp",
        "benchmarks.sides.bare_consumer.over_http",
        "benchmarks.sides.bare_consumer.in_process",
    ),
    "read the answer": (
        "ekiben_serving.answers",
        "ekiben_serving.columnar.answer",
        "ekiben_inference_gateway.calling._answer",
    ),
    "combine": (
        "ekiben_synthesizer.combining",
        "ekiben_synthesizer.confidence",
        "ekiben_synthesizer.agreement",
        "ekiben_synthesizer.intervals",
        "ekiben_synthesizer.pins",
    ),
    "build the event": ("ekiben_inference_gateway.answers", "ekiben_synthesizer.results"),
    "dump the event": (
        "ekiben_contracts.cloudevents.encode",
        "ekiben_contracts.event.Event.to_json",
        "ekiben_bus.outbox.write",
        "benchmarks.sides.bare_lean.LeanSkeleton._write",
        "benchmarks.sides.bare_contracts.ContractSkeleton._write",
    ),
    "produce": ("ekiben_bus.publishing", "aiokafka.producer"),
    "Kafka's sockets": ("aiokafka.conn", "aiokafka.client", "aiokafka.protocol", "aiokafka.cluster"),
    "commit, group": ("ekiben_bus.commits", "ekiben_bus.membership", "ekiben_bus.lease"),
    "verdicts, order, counting": (
        "ekiben_bus",
        "ekiben_inference_gateway",
        "ekiben_synthesizer",
        "prometheus_client",
    ),
}
"""Where a step's code is. A stack belongs to the innermost frame that is in one."""
REST = "event loop, the rest"
MOST_FUNCTIONS = 25


def microseconds(samples: Path, events: int) -> dict[str, float]:
    """Of each step, for one event."""
    found: defaultdict[str, float] = defaultdict(float)
    for stack, seconds in _stacks(samples):
        found[_step(stack)] += seconds
    return {step: found[step] * 1e6 / events for step in (*STEPS, REST)}


def functions(samples: Path, events: int) -> list[tuple[str, float]]:
    """The functions that cost most by themselves, in microseconds for one event."""
    found: defaultdict[str, float] = defaultdict(float)
    for stack, seconds in _stacks(samples):
        found[stack[-1] if stack else "the event loop"] += seconds
    dearest = sorted(found.items(), key=lambda each: -each[1])
    return [(name, seconds * 1e6 / events) for name, seconds in dearest[:MOST_FUNCTIONS]]


def _stacks(samples: Path) -> Iterable[tuple[list[str], float]]:
    for stack, seconds in json.loads(samples.read_text()):
        yield [f"{module}.{function}" for module, function in stack], seconds


def _step(stack: list[str]) -> str:
    for place in reversed(stack):
        for step, prefixes in STEPS.items():
            if any(place == prefix or place.startswith(f"{prefix}.") for prefix in prefixes):
                return step
    return REST
