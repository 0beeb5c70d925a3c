"""One whole gateway before a real Bento, and what comes of the requests it is sent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from ekiben_contracts.cloudevents import decode
from ekiben_contracts.models import Role
from ekiben_contracts.prediction import ModelsScored, PredictionFailed
from ekiben_contracts.routing import ModelRouted, RoutedVersion
from ekiben_contracts.topics import (
    GATEWAY,
    MODEL_OUTPUTS,
    PREDICTION_REQUESTS,
    PREDICTION_RESULTS,
    Topic,
    dead_letter_topic,
)
from ekiben_contracts.training import ModelTrained
from ekiben_inference_gateway.app import build
from ekiben_inference_gateway.settings import GatewaySettings
from unit.gateway.building import ensemble
from unit.in_memory import QUICK, Kafka, running, until

FEATURES: Mapping[str, Any] = {
    "distance": 500.0,
    "wind": 3.5,
    "temperature": 3,
    "seats": 100,
    "hour": 7,
    "night": False,
    "carrier": "UA",
}
Answer = TypeVar("Answer", PredictionFailed, ModelsScored)
DEAD = dead_letter_topic(PREDICTION_REQUESTS.name, GATEWAY)


def route(trained: ModelTrained, url: str) -> ModelRouted:
    """All traffic of a model to one address."""
    version = RoutedVersion(
        version=trained.version, url=url, weight=10_000, role=Role.CHAMPION, signature=trained.signature
    )
    return ModelRouted(
        model=trained.model,
        revision=1,
        problem_type=trained.problem_type,
        classes=trained.classes,
        versions=[version],
        routed_at=datetime.now(UTC),
    )


class Asking:
    """Sends requests, and finds what became of each by its id."""

    def __init__(self) -> None:
        self._kafka = Kafka()

    @asynccontextmanager
    async def before(self, trained: ModelTrained, url: str, **settings: object) -> AsyncIterator[None]:
        """A gateway runs; `late` is routed, and an ensemble that needs a member that nobody routed."""
        self._kafka.route(route(trained, url), ensemble("both", ["late", "absent"], missing_policy="all"))
        patient = GatewaySettings(**{"call_budget_s": 20.0, **settings})
        async with running(build(patient, QUICK, self._kafka.cluster)):
            yield

    def send(self, name: str, **asked: object) -> None:
        """One request; NaN is written as Python writes it, which is no JSON."""
        body = {"request_id": name, "model": "late", "entity_id": "UA1", "features": FEATURES, **asked}
        self._kafka.send_bytes(PREDICTION_REQUESTS, json.dumps(body).encode())

    async def answered(self, number: int) -> None:
        """Wait until so many requests are answered, by outputs or by a failure."""
        await until(lambda: self._count(MODEL_OUTPUTS.name) + self._count(PREDICTION_RESULTS.name) >= number)

    @property
    def failed(self) -> dict[str, PredictionFailed]:
        return self._events(PREDICTION_RESULTS, PredictionFailed)

    @property
    def scored(self) -> dict[str, ModelsScored]:
        return self._events(MODEL_OUTPUTS, ModelsScored)

    @property
    def dead_letters(self) -> set[str]:
        """The ids of the dead letters."""
        return {dict(record.headers)["dlq-id"].decode() for record in self._kafka.records(DEAD)}

    def _events(self, topic: Topic, kind: type[Answer]) -> dict[str, Answer]:
        """Those of one kind on a topic, by their request."""
        found = (decode(one.value, one.headers, topic).data for one in self._kafka.records(topic.name))
        return {event.request_id: event for event in found if isinstance(event, kind)}

    def _count(self, topic: str) -> int:
        return len(self._kafka.records(topic))
