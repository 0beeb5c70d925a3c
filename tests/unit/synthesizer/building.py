"""Scored requests and routes to test the synthesizer with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry

from ekiben_bus.memory import StoredRecord
from ekiben_bus.records import Received
from ekiben_contracts.event import Event
from ekiben_contracts.models import Calibration, DType, FeatureSpec, Method, ProblemType, Role
from ekiben_contracts.prediction import Missing, ModelsScored, Output
from ekiben_contracts.routing import ModelRouted, RoutedVersion
from ekiben_contracts.topics import MODEL_OUTPUTS, SYNTHESIZER
from ekiben_synthesizer.handler import synthesize
from ekiben_synthesizer.metrics import SynthesizerMetrics

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
QUANTILES = {"0.8": 10.0, "0.9": 15.0, "0.95": 20.0, "0.99": 40.0}


def value(model="minutes", of=30.0, **rest):
    """What a regression answered."""
    return Output(model=model, version="1", value=of, latency_ms=2.0, **rest)


def odds(model="delay", late=0.75, **rest):
    """What a classifier of two classes answered."""
    label = "late" if late >= 0.5 else "on_time"
    return value(model, late, label=label, probabilities={"on_time": 1 - late, "late": late}, **rest)


def missing(model="weather"):
    return Missing(model=model, reason="model_unavailable", detail="connection refused")


def scored(*outputs, **rest):
    """A scored request, of a single model unless it is told otherwise."""
    fields = {
        "request_id": "flight-7",
        "model": outputs[0].model if outputs else "minutes",
        "entity_id": "UA1",
        "time_horizon": "short_term",
        "requested_at": NOW - timedelta(milliseconds=40),
        "features": {"distance": 1400},
        **rest,
    }
    return ModelsScored(outputs=list(outputs), **fields)


def of_ensemble(*outputs, method=Method.AVERAGE, **rest):
    return scored(*outputs, **{"model": "both", "revision": 7, "method": method, **rest})


def received(event, *, attempt=1):
    record = StoredRecord(MODEL_OUTPUTS.name, 1, 40, 0, b"UA1", event.to_json(), ())
    return Received(type(event).lean_from_json(record.value), record, SYNTHESIZER, None, None, attempt)


def route(model="minutes", pinned="minutes-1", quantiles=QUANTILES, classes=None):
    version = RoutedVersion(
        version="1",
        url="http://127.0.0.1:3001",
        weight=10_000,
        role=Role.CHAMPION,
        signature=[FeatureSpec(name="distance", dtype=DType.DOUBLE)],
        calibration=pinned and Calibration(id=pinned, quantiles=quantiles),
    )
    problem = ProblemType.CLASSIFICATION if classes else ProblemType.REGRESSION
    return ModelRouted(
        model=model, revision=1, problem_type=problem, classes=classes, versions=[version], routed_at=NOW
    )


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

    async def catch_up(self):
        if self.broken:
            raise TimeoutError("the broker did not answer")
        self.caught_up += 1
        self.read.update(self.unread)


@dataclass
class Synthesizer:
    """The handler with its fakes around it."""

    routes: FakeRoutes = field(default_factory=FakeRoutes)
    coverage: float = 0.9
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self):
        self.metrics = SynthesizerMetrics(self.registry)

    async def answer(self, *events, attempt=1):
        return await synthesize(
            [received(event, attempt=attempt) for event in events],
            routes=self.routes,
            coverage=self.coverage,
            clock=lambda: NOW,
            metrics=self.metrics,
        )

    async def result(self, event):
        """The one event that a scored request becomes."""
        (verdict,) = await self.answer(event)
        return only(verdict).event


def only(verdict):
    """The one outgoing of a verdict."""
    (outgoing,) = verdict.outgoing
    return outgoing
