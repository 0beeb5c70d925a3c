"""`python -m ekiben_bus.probe`: what a container's health check asks of a service on loopback."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry

from ekiben_bus.health import HealthServer


def probe(page: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # a proxy that is not there: loopback is asked directly
    asked = os.environ | {"http_proxy": "http://127.0.0.1:9"} | environment
    command = [sys.executable, "-m", "ekiben_bus.probe", page]
    return subprocess.run(command, env=asked, capture_output=True, text=True, timeout=60, check=False)


async def asked_of(problems: Sequence[str], page: str) -> subprocess.CompletedProcess[str]:
    server = HealthServer("127.0.0.1", 0, lambda: problems, CollectorRegistry())
    port = await server.start()
    try:
        return await asyncio.to_thread(probe, page, EKIBEN_HEALTH_PORT=str(port))
    finally:
        await server.stop()


async def test_a_ready_service_is_0() -> None:
    told = await asked_of([], "readyz")
    assert told.returncode == 0, told
    assert '"ready"' in told.stdout


async def test_one_that_is_not_is_1_and_says_why_though_it_is_alive() -> None:
    ready, alive = [await asked_of(["waiting for an assignment"], page) for page in ("readyz", "livez")]
    assert (ready.returncode, alive.returncode) == (1, 0)
    assert "waiting for an assignment" in ready.stdout


def test_no_answer_is_1_and_names_address_and_setting() -> None:
    told = probe("readyz", EKIBEN_HEALTH_PORT="9")
    assert told.returncode == 1
    assert "127.0.0.1:9" in told.stdout
    assert "EKIBEN_HEALTH_PORT" in told.stdout


@pytest.mark.parametrize(("page", "port"), [("readyz", ""), ("readyz", "0"), ("metrics", "8081")])
def test_what_cannot_be_asked_is_1_and_says_what_is_expected(page: str, port: str) -> None:
    told = probe(page, EKIBEN_HEALTH_PORT=port)
    assert told.returncode == 1
    assert told.stdout.startswith("expected livez or readyz and a fixed EKIBEN_HEALTH_PORT")
