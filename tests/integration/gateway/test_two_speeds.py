"""Bodies adapt to what a model takes: a slow one keeps its latency, a fast one its throughput."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ekiben_contracts.topics import GATEWAY, MODEL_OUTPUTS, PARKED, PREDICTION_REQUESTS, side_topic
from ekiben_inference_gateway.app import build
from ekiben_inference_gateway.settings import GatewaySettings
from ekiben_mlops.quiet import NO_PHONE_HOME
from ekiben_mlops.serve import wait_ready
from integration.served import free_port
from unit.in_memory import QUICK, Kafka, running, until

SERVICE = Path(__file__).parent / "two_speeds"
REQUESTS = 1_500


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Where the real `bentoml serve` of the service answers."""
    port = free_port()
    arguments = ["serve", "service:TwoSpeeds", "--working-dir", str(SERVICE), "--port", str(port)]
    with (tmp_path / "serve.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "bentoml", *arguments, "--host", "127.0.0.1"],
            stdout=log,
            stderr=log,
            env={"PATH": "", "HOME": str(tmp_path), "BENTOML_HOME": str(tmp_path), **NO_PHONE_HOME},
        )
    try:
        asyncio.run(wait_ready(f"http://127.0.0.1:{port}", timeout_s=60))
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(60)


async def test_a_slow_model_is_asked_in_small_bodies_and_a_fast_one_in_large_ones(url: str, tmp_path: Path):
    file = tmp_path / "model_endpoints.yaml"
    models = {
        name: {"version": "1", "endpoints": [{"url": url, "api": f"/{name}"}]} for name in ("slow", "fast")
    }
    file.write_text(json.dumps({"models": models}))  # JSON is YAML, too
    sizes = {}
    for name in models:
        kafka = Kafka()
        gateway = build(GatewaySettings(endpoints_file=file), QUICK, kafka.cluster)
        for number in range(REQUESTS):
            body = {"request_id": f"r{number}", "model": name, "entity_id": "e", "features": {"x": number}}
            kafka.send_bytes(PREDICTION_REQUESTS, json.dumps(body).encode(), partition=number % 4)
        async with running(gateway):
            await until(lambda of=kafka: len(of.records(MODEL_OUTPUTS.name)) >= REQUESTS)
        parked = kafka.records(side_topic(PREDICTION_REQUESTS.name, GATEWAY, PARKED))
        assert len(parked) < REQUESTS / 5, "a model that is well is not taken for a dead one, however slow"
        rows, calls = (
            gateway.registry.get_sample_value(
                f"ekiben_model_call_rows_{what}", {"model": name, "version": "1"}
            )
            for what in ("sum", "count")
        )
        assert rows >= REQUESTS
        sizes[name] = rows / calls
    # 50 ms at 2 ms a row are 25 rows
    assert sizes["slow"] < 50
    assert sizes["fast"] > 2 * sizes["slow"]
