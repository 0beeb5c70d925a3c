"""Scored requests, routes with a shadow, and the handler with fakes around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry

from ekiben_bus.memory import StoredRecord
from ekiben_bus.records import Received
from ekiben_contracts.models import Role
from ekiben_contracts.prediction import ModelsScored, Output
from ekiben_contracts.topics import MODEL_OUTPUTS, SHADOW
from ekiben_inference_gateway.calling import Caller
from ekiben_inference_gateway.latencies import Latencies
from ekiben_inference_gateway.metrics import GatewayMetrics
from ekiben_inference_gateway.outages import Outages
from ekiben_inference_gateway.pacing import Bounds, Paces
from ekiben_inference_gateway.shadow.asking import Asker
from ekiben_inference_gateway.shadow.handler import shadow
from ekiben_inference_gateway.shadow.metrics import ShadowMetrics
from ekiben_inference_gateway.shadow.patience import SeldomAgain
from unit.gateway.building import FEATURES, NOW, FakeModels, FakeRoutes, version

LONGEST_LAG = timedelta(seconds=60)
CHAMPION = version("1")
CHALLENGED = version("2", 0, Role.SHADOW)


def output(model="delay", of_version="1", value=0.25, role=Role.CHAMPION):
    return Output(model=model, version=of_version, role=role, value=value, latency_ms=2.0)


def scored(number=0, *outputs, model="delay", features=FEATURES, attempt=1):
    return ModelsScored(
        request_id=f"flight-{number}",
        model=model,
        entity_id="UA1",
        time_horizon="short_term",
        requested_at=NOW,
        outputs=list(outputs or [output()]),
        features=features,
        attempt=attempt,
    )


def received(event, age_s=0.0, offset=0, attempt=1):
    """`attempt` is which one this is at its outputs: they hold which one they are at their request."""
    at_ms = int((NOW - timedelta(seconds=age_s)).timestamp() * 1000)
    record = StoredRecord(MODEL_OUTPUTS.name, 1, offset, at_ms, b"UA1", event.to_json(), ())
    event = type(event).lean_from_json(record.value)
    return Received(event, record, SHADOW, f"{event.request_id}/scored/{event.attempt}", None, attempt)


@dataclass
class Shadow:
    """The handler with fakes around it, and clocks that stand until they are moved."""

    routes: FakeRoutes
    models: FakeModels = field(default_factory=FakeModels)
    budget_s: float = 1.0
    rows_per_call: int = 1024
    probe_after_s: float = 5.0
    now: datetime = NOW
    timer: float = 0.0
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self):
        self.outages = Outages(900.0, lambda: self.timer)
        self.metrics = GatewayMetrics(self.registry)
        self.counted = ShadowMetrics(self.registry)
        self.paces = Paces(Bounds(self.rows_per_call, 1))

    async def answer(self, *batch):
        """The events of a batch, one list for each input."""
        caller = Caller(
            self.models,
            SeldomAgain(self.outages, self.probe_after_s),
            self.outages,
            Latencies(),
            self.paces,
            self.metrics,
            lambda: self.timer,
        )
        verdicts = await shadow(
            batch,
            routes=self.routes,
            asker=Asker(caller.ask, self.paces, self.budget_s),
            longest_lag=LONGEST_LAG,
            clock=lambda: self.now,
            metrics=self.counted,
        )
        return [verdict.outgoing for verdict in verdicts]

    def count(self, status, of_version="2"):
        labels = {"model": "delay", "version": of_version, "status": status}
        return self.registry.get_sample_value("ekiben_shadow_requests_total", labels) or 0
