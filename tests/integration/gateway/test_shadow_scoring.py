"""Shadow scoring against a real `bentoml serve`: answered, failed while it is away, and answered again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from ekiben_contracts.cloudevents import decode
from ekiben_contracts.health import EndpointHealthReported
from ekiben_contracts.models import Role
from ekiben_contracts.prediction import ModelsScored, ModelsShadowed, Output
from ekiben_contracts.routing import RoutedVersion
from ekiben_contracts.topics import ENDPOINT_HEALTH, MODEL_OUTPUTS, SHADOW_OUTPUTS
from ekiben_inference_gateway.shadow.app import build
from ekiben_inference_gateway.shadow.settings import ShadowSettings
from integration.gateway.asking import FEATURES, route
from integration.served import Logged, Served
from unit.in_memory import QUICK, Kafka, running, until

CHAMPION = Output(model="late", version="0", value=0.25, latency_ms=1.0)


class Scored:
    """Writes what the gateway would have, and finds what was told of the shadow."""

    def __init__(self, classifier: Logged, url: str) -> None:
        self.kafka = Kafka()
        self._number = 0
        beside = route(classifier.event, url)
        (version,) = beside.versions
        shadow = version.model_copy(update={"weight": 0, "role": Role.SHADOW})
        serving = RoutedVersion(
            version="0",
            url="http://127.0.0.1:9",
            weight=10_000,
            role=Role.CHAMPION,
            signature=version.signature,
        )
        self.kafka.route(beside.model_copy(update={"versions": [serving, shadow]}))

    async def ask(self) -> ModelsShadowed:
        """Of one request more."""
        name, self._number = f"r{self._number}", self._number + 1
        event = ModelsScored(
            request_id=name,
            model="late",
            entity_id="UA1",
            time_horizon="short_term",
            requested_at=datetime.now(UTC),
            outputs=[CHAMPION],
            features=dict(FEATURES),
        )
        self.kafka.send(MODEL_OUTPUTS, event)
        return (await self.kafka.events(SHADOW_OUTPUTS, self._number))[-1]

    def reports(self) -> list[EndpointHealthReported]:
        return [
            decode(each.value, each.headers, ENDPOINT_HEALTH).data
            for each in self.kafka.records(ENDPOINT_HEALTH.name)
        ]


@pytest.fixture
async def scored(classifier: Logged, served: Served) -> AsyncIterator[Scored]:
    asking = Scored(classifier, served.url)
    settings = ShadowSettings(probe_after_s=0.05, call_budget_s=5.0, health_window_s=0.1)
    async with running(build(settings, QUICK, asking.kafka.cluster)):
        yield asking


async def test_a_shadow_tells_what_the_model_answers(scored: Scored, classifier: Logged):
    event = await scored.ask()
    assert (event.status, event.error) == ("answered", None)
    assert (event.shadow.version, event.shadow.role) == (classifier.event.version, Role.SHADOW)
    assert event.shadow.probabilities.keys() == {"late", "on time"}
    assert event.difference == pytest.approx(event.shadow.value - 0.25)
    assert event.shadow.latency_ms > 0
    await until(lambda: sum(report.requests for report in scored.reports()) == 1)
    (report,) = [report for report in scored.reports() if report.requests]
    assert (report.model, report.version, report.errors) == ("late", classifier.event.version, {})


async def test_while_it_is_away_it_has_failed_and_when_it_is_back_it_answers(scored: Scored, served: Served):
    assert (await scored.ask()).status == "answered"
    served.stop()
    try:
        away = await scored.ask()
        assert (away.status, away.shadow, away.error.split(":")[0]) == ("failed", None, "model_unavailable")
    finally:
        await asyncio.to_thread(served.start)
    async with asyncio.timeout(60):
        while (await scored.ask()).status != "answered":
            pass
