"""Requests, routes and models to test the gateway with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry

from ekiben_bus.memory import StoredRecord
from ekiben_bus.records import Received
from ekiben_contracts.event import Event
from ekiben_contracts.models import Calibration, DType, FeatureSpec, Method, ProblemType, Role
from ekiben_contracts.prediction import PredictionRequested
from ekiben_contracts.routing import EnsembleDefined, ModelRouted, RoutedVersion
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS
from ekiben_inference_gateway.calling import Caller
from ekiben_inference_gateway.explaining import Explainer, ExplainLimits
from ekiben_inference_gateway.features.filling import Fill, as_they_are
from ekiben_inference_gateway.handler import answer
from ekiben_inference_gateway.latencies import Latencies
from ekiben_inference_gateway.metrics import GatewayMetrics
from ekiben_inference_gateway.outages import Outages
from ekiben_inference_gateway.pacing import Bounds, Paces
from ekiben_inference_gateway.patience import MainFlow, ParkedLane
from ekiben_inference_gateway.routing import Choice
from ekiben_inference_gateway.scoring import Limits
from ekiben_serving.errors import ModelTransientError, ModelUnavailableError
from ekiben_serving.fake_client import FakeModelClient
from ekiben_serving.model_client import ModelOutput
from ekiben_serving.validation import RowError

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SIGNATURE = [
    FeatureSpec(name="distance", dtype=DType.DOUBLE),
    FeatureSpec(name="carrier", dtype=DType.STRING),
    FeatureSpec(name="seats", dtype=DType.DOUBLE, required=False),
]
LEAST_PATIENCE_S = 0.1
FEATURES = {"distance": 1400, "carrier": "UA"}


def version(name="1", weight=10_000, role=Role.CHAMPION, **rest):
    return RoutedVersion(
        version=name, url=f"http://127.0.0.1:30{name}", weight=weight, role=role, signature=SIGNATURE, **rest
    )


def calibration(name):
    return Calibration(id=name, quantiles={"0.9": 0.4})


def model(name="delay", *versions, revision=1, **rest):
    return ModelRouted(
        model=name,
        revision=revision,
        problem_type=ProblemType.CLASSIFICATION,
        classes=["on_time", "late"],
        versions=list(versions or [version()]),
        routed_at=NOW,
        **rest,
    )


def ensemble(name="both", members=("delay", "weather"), **rest):
    defined = {"method": Method.AVERAGE, "revision": 7, **rest}
    return EnsembleDefined(ensemble=name, members=list(members), defined_at=NOW, **defined)


def received(offset=0, *, ce_id=None, attempt=1, event=None, **asked):
    asked = {
        "model": "delay",
        "entity_id": "UA1",
        "features": FEATURES,
        "request_id": f"flight-{offset}",
        **asked,
    }
    event = event or PredictionRequested(**asked)
    record = StoredRecord(
        PREDICTION_REQUESTS.name,
        1,
        offset,
        int(NOW.timestamp() * 1000),
        asked["entity_id"].encode(),
        event.to_json(),
        (),
    )
    return Received(type(event).lean_from_json(record.value), record, GATEWAY, ce_id, None, attempt)


@dataclass
class FakeRoutes:
    """A route table whose topic may hold more than what was read of it so far."""

    read: dict[str, Event] = field(default_factory=dict)
    unread: dict[str, Event] = field(default_factory=dict)
    caught_up: int = 0
    broken: bool = False

    @classmethod
    def of(cls, *events, unread=()):
        return cls({event.key: event for event in events}, {event.key: event for event in unread})

    def get(self, key, /):
        return self.read.get(key)

    def values(self):
        return self.read.values()

    async def catch_up(self):
        if self.broken:
            raise TimeoutError("the broker did not answer")
        self.caught_up += 1
        self.read.update(self.unread)


def late(row):
    """A classifier that says late the surer, the farther the flight goes."""
    p = min(1.0, float(row["distance"]) / 4000)
    return {
        "value": p,
        "label": "late" if p >= 0.5 else "on_time",
        "probabilities": {"on_time": 1 - p, "late": p},
    }


@dataclass
class FakeModels:
    """A fake model for every routed version, by (model, version)."""

    clients: dict[tuple[str, str], FakeModelClient] = field(default_factory=dict)
    row_errors: dict[str, RowError] = field(default_factory=dict)
    opened: list[Choice] = field(default_factory=list)

    def of(self, choice: Choice, /):
        return self.client(choice.endpoint.model, choice.endpoint.version)

    def open(self, choice: Choice):
        self.opened.append(choice)
        return self.of(choice)

    def client(self, name="delay", of_version="1"):
        key = (name, of_version)
        if key not in self.clients:
            self.clients[key] = FakeModelClient(SIGNATURE, lambda row: self._answer(name, of_version, row))
        return self.clients[key]

    def down(self, name="delay", of_version="1"):
        url = f"http://127.0.0.1:30{of_version}"
        self.client(name, of_version).failure = ModelUnavailableError(name, url, "connection refused")

    def breaks(self, name="delay", of_version="1"):
        url = f"http://127.0.0.1:30{of_version}"
        self.client(name, of_version).failure = ModelTransientError(name, url, "found 500")

    def up(self, name="delay", of_version="1"):
        self.client(name, of_version).failure = None

    def _answer(self, name, of_version, row):
        return self.row_errors.get(row["carrier"]) or ModelOutput(
            name, of_version, **late(row), latency_ms=3.5
        )


@dataclass
class Gateway:
    """The handler with fakes around it, and clocks that stand until they are moved."""

    routes: FakeRoutes
    models: FakeModels = field(default_factory=FakeModels)
    draw_by: str = "request_id"
    rows_per_call: int = 1024
    explain_rows: int = 64
    patience_s: float = 60.0
    probe_after_s: float = 5.0
    now: datetime = NOW
    timer: float = 0.0
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    fill: Fill = as_they_are

    def __post_init__(self):
        self.metrics = GatewayMetrics(self.registry)
        self.outages = Outages(self.patience_s, self.monotonic)
        self.latencies = Latencies()
        self.paces = Paces(Bounds(rows=self.rows_per_call))

    def monotonic(self):
        return (self.now - NOW).total_seconds()

    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)

    async def hold(self, seconds, *batch):
        """Read a batch again every 5 s, as the bus does with what is held; the kinds of its verdicts."""
        kinds = set()
        for _ in range(seconds // 5):
            kinds |= {type(verdict) for verdict in await self.answer(*batch)}
            self.wait(5)
        return kinds

    async def answer(self, *batch):
        """As the main flow does."""
        return await self._answer(
            batch, MainFlow(self.outages, self.latencies, LEAST_PATIENCE_S, self.probe_after_s)
        )

    async def answer_parked(self, *batch):
        """As the lane of those that wait does."""
        return await self._answer(batch, ParkedLane())

    async def _answer(self, batch, patience):
        return await answer(
            batch,
            routes=self.routes,
            caller=Caller(
                self.models,
                patience,
                self.outages,
                self.latencies,
                self.paces,
                self.metrics,
                lambda: self.timer,
            ),
            explainer=Explainer(
                self.models,
                ExplainLimits(self.explain_rows, 1.0, timedelta(seconds=1)),
                self.metrics,
                lambda: self.now,
                lambda: self.timer,
            ),
            outages=self.outages,
            limits=Limits(1.0, timedelta(seconds=1)),
            paces=self.paces,
            draw_by=self.draw_by,
            clock=lambda: self.now,
            metrics=self.metrics,
            fill=self.fill,
        )

    def count(self, name, **labels):
        return self.registry.get_sample_value(name, labels)


def only(verdict):
    """The one outgoing of a verdict."""
    (outgoing,) = verdict.outgoing
    return outgoing
