"""Sides (b) and (c): Ekiben's gateway alone, and with its synthesizer behind it. The real processes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from confluent_kafka import Message, Producer
from pydantic import BaseModel

from benchmarks.asking import Ask
from benchmarks.ground import Ground
from benchmarks.kafka import client_settings
from benchmarks.processes import Process, http_ok, python, running, wait_until
from benchmarks.serving import Served
from benchmarks.sides.side import Answer, Names
from ekiben_bus.brokers.ports import free_port
from ekiben_bus.naming import Naming
from ekiben_bus.topics import apply_topics
from ekiben_contracts.cloudevents import encode
from ekiben_contracts.event import Event
from ekiben_contracts.models import Method, Role
from ekiben_contracts.routing import EnsembleDefined, ModelRouted, RoutedVersion
from ekiben_contracts.topics import MODEL_OUTPUTS, PREDICTION_REQUESTS, PREDICTION_RESULTS, ROUTES, Topic

GATEWAY_MODULE = "ekiben_inference_gateway"
SYNTHESIZER_MODULE = "ekiben_synthesizer"
_SCALED = (PREDICTION_REQUESTS, MODEL_OUTPUTS, PREDICTION_RESULTS)


class _Output(BaseModel):
    value: float


class _Scored(BaseModel):
    request_id: str
    outputs: list[_Output]


class _Result(BaseModel):
    request_id: str
    prediction: float | None = None


@dataclass(frozen=True, slots=True)
class Ekiben:
    """The services from the requests to one topic of answers, and the routes they follow."""

    name: str
    modules: tuple[str, ...]
    """The services, the last of the chain first: each is ready before anybody writes to it."""
    answers: Topic
    routes: Sequence[Event]
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    up_first: bool = False

    def create(self, ground: Ground, prefix: str) -> Names:
        """Ekiben's own topics, and the routes."""
        partitions = {topic.name: ground.partitions for topic in _SCALED}
        asyncio.run(apply_topics(ground.kafka, Naming(prefix), partitions=partitions))
        producer = Producer(client_settings(ground.kafka))
        for route in self.routes:
            key = ROUTES.key_of(route)
            value, headers = encode(route, id=f"{key}", source="/benchmark", time=datetime.now(UTC))
            producer.produce(prefix + ROUTES.name, value, key, headers=list(headers))
        producer.flush()
        return Names(*(prefix + topic.name for topic in (PREDICTION_REQUESTS, MODEL_OUTPUTS, self.answers)))

    def requests(self, ground: Ground, start: int, end: int) -> Iterator[Ask]:
        """As its own client writes them."""
        return ground.asking.asks(start, end)

    @contextmanager
    def running(self, ground: Ground, prefix: str) -> Iterator[Sequence[Process]]:
        """Every service, ready."""
        with ExitStack() as stack:
            yield [stack.enter_context(self._service(module, ground, prefix)) for module in self.modules]

    def read(self, message: Message) -> Answer | None:
        """Of what the gateway scored, its first output; of a result, its prediction."""
        value = message.value() or b""
        if self.answers is MODEL_OUTPUTS:
            scored = _Scored.model_validate_json(value)
            return Answer(scored.request_id, scored.outputs[0].value) if scored.outputs else None
        result = _Result.model_validate_json(value)
        return None if result.prediction is None else Answer(result.request_id, result.prediction)

    @contextmanager
    def _service(self, module: str, ground: Ground, prefix: str) -> Iterator[Process]:
        port, log = free_port(), ground.log_of(module)
        environment = {
            **ground.environment,
            **self.settings,
            "EKIBEN_TOPIC_PREFIX": prefix,
            "EKIBEN_HEALTH_PORT": str(port),
        }
        with running(python(module, samples=ground.samples_of(module)), log, environment) as child:
            wait_until(lambda: http_ok(port, "/readyz"), f"{module} to get ready", child)
            yield child


def gateway_alone(routes: Sequence[Event], **settings: str) -> Ekiben:
    """Requests to model outputs."""
    return Ekiben("Ekiben's gateway", (GATEWAY_MODULE,), MODEL_OUTPUTS, routes, settings)


def two_gateways(routes: Sequence[Event]) -> Ekiben:
    """The same by two processes, which share the partitions: both are up before anything is asked."""
    modules = (GATEWAY_MODULE, GATEWAY_MODULE)
    return Ekiben("Ekiben's gateway, twice", modules, MODEL_OUTPUTS, routes, up_first=True)


def end_to_end(routes: Sequence[Event], **settings: str) -> Ekiben:
    """Requests to results."""
    return Ekiben(
        "Ekiben end to end", (SYNTHESIZER_MODULE, GATEWAY_MODULE), PREDICTION_RESULTS, routes, settings
    )


def route_to(served: Served) -> ModelRouted:
    """All traffic to the one version."""
    version = RoutedVersion(
        version=served.version,
        url=served.url,
        weight=10_000,
        role=Role.CHAMPION,
        signature=list(served.signature),
    )
    return ModelRouted(
        model=served.model,
        revision=1,
        problem_type=served.problem_type,
        classes=list(served.classes) or None,
        versions=[version],
        routed_at=datetime.now(UTC),
    )


def ensemble_of(name: str, members: Sequence[str]) -> EnsembleDefined:
    """The average of some routed models."""
    return EnsembleDefined(
        ensemble=name, revision=1, members=list(members), method=Method.AVERAGE, defined_at=datetime.now(UTC)
    )
