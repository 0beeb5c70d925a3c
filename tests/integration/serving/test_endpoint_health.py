"""A gateway on real Kafka with a real Bento that is killed and comes back: what is reported of it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import pytest

from ekiben import Ekiben
from ekiben.endpoints import Endpoint
from ekiben_bus.service import Service
from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_bus.verdicts import Outgoing
from ekiben_contracts.health import HealthSummary
from ekiben_contracts.models import ProblemType, Role
from ekiben_contracts.prediction import PredictionRequested
from ekiben_contracts.routing import ModelRouted, RoutedVersion
from ekiben_contracts.topics import ROUTES
from ekiben_inference_gateway.app import build
from ekiben_inference_gateway.settings import GatewaySettings
from ekiben_mlops.packaging import package
from ekiben_mlops.settings import MlopsSettings
from integration.served import ROW, Logged, Served, free_port

DEADLINE_S = 60.0


@pytest.fixture(scope="module")
def mortal(classifier: Logged, mlops_settings: MlopsSettings) -> Iterator[Served]:
    """A child to be killed."""
    found = Served(package(classifier.event, mlops_settings), mlops_settings, free_port())
    found.start()
    yield found
    found.stop(signal.SIGKILL)


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[None]:
    serving = asyncio.create_task(service.serve())
    try:
        yield
    finally:
        service.stop()
        await serving


async def until(ask: Callable[[], Awaitable[HealthSummary | None]]) -> HealthSummary:
    """What it answers, once it does."""
    async with asyncio.timeout(DEADLINE_S):
        while (found := await ask()) is None:
            await asyncio.sleep(0.05)
        return found


def route(logged: Logged, url: str) -> Outgoing:
    event = ModelRouted(
        model="late",
        revision=1,
        problem_type=ProblemType.CLASSIFICATION,
        versions=[
            RoutedVersion(
                version="1", url=url, weight=10_000, role=Role.CHAMPION, signature=logged.event.signature
            )
        ],
        routed_at=datetime.now(UTC),
    )
    return Outgoing(ROUTES, event, "route-1", event.key.encode())


async def ekiben_routes(kafka: KafkaSettings, prefix: str) -> dict[str, object]:
    """What the command says of the one version."""
    command = [str(Path(sys.executable).with_name("ekiben")), "routes", "--json", "--topic-prefix", prefix]
    process = await asyncio.create_subprocess_exec(
        *command, "-b", kafka.bootstrap_servers, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    (model,) = json.loads(said)["models"]
    (version,) = model["versions"]
    return version["health"]


def metrics(gateway: Service) -> str:
    with urlopen(f"http://127.0.0.1:{gateway.health_port}/metrics", timeout=10) as answer:
        return answer.read().decode()


@pytest.mark.kafka
async def test_a_server_that_is_killed_and_comes_back_is_seen_on_the_topic_in_the_routes_and_in_the_metrics(
    mortal: Served, classifier: Logged, kafka_settings: KafkaSettings, topic_prefix: str
) -> None:
    settings = GatewaySettings(instance="g1", health_window_s=0.2, call_budget_s=5.0, max_retries=0)
    service = ServiceSettings(topic_prefix=topic_prefix, backoff_s=0.05, longest_backoff_s=0.2)
    gateway = build(settings, service, kafka_settings)
    endpoint = Endpoint("late", "1", mortal.url)
    labels = f'endpoint="{mortal.url}",model="late"'
    async with Ekiben(kafka=kafka_settings, topic_prefix=topic_prefix) as ekiben:
        await ekiben.send([route(classifier, mortal.url)])

        async def ask(count: int, first: int) -> None:
            await ekiben.publish_many(
                PredictionRequested(request_id=f"r{n}", model="late", entity_id="UA1", features=ROW)
                for n in range(first, first + count)
            )

        def seen(where: Callable[[HealthSummary], bool]) -> Callable[[], Awaitable[HealthSummary | None]]:
            async def look() -> HealthSummary | None:
                found = (await ekiben.endpoints()).get(endpoint)
                return found if found is not None and where(found) else None

            return look

        async with running(gateway):
            await ask(300, first=0)
            well = await until(seen(lambda health: health.requests == 300))
            assert (well.breaker, well.failed, well.breakers) == ("closed", 0, {"g1": "closed"})
            assert 0 < well.latency_ms["p50"] <= well.latency_ms["p99"] < 5000

            mortal.stop(signal.SIGKILL)
            await ask(10, first=300)
            away = await until(seen(lambda health: health.breaker == "open"))
            assert away.errors["unavailable"] >= 5
            told = await asyncio.to_thread(metrics, gateway)
            assert f'ekiben_endpoint_calls_total{{{labels},outcome="unavailable",version="1"}}' in told
            assert (await ekiben_routes(kafka_settings, topic_prefix))["errors"]

            await asyncio.to_thread(mortal.start)
            answered = await until(
                seen(lambda health: health.breaker == "closed" and health.requests - health.failed == 310)
            )
            assert answered.failed >= away.failed
            told = await asyncio.to_thread(metrics, gateway)
            assert f'ekiben_endpoint_breaker{{{labels},state="closed",version="1"}} 1.0' in told
            assert f'ekiben_endpoint_breaker{{{labels},state="open",version="1"}} 0.0' in told
