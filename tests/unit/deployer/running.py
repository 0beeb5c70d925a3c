"""A whole deployer on a cluster in memory, with everything behind its ports faked."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry

from ekiben_contracts.cloudevents import decode, encode
from ekiben_contracts.deployment import DeploymentProgressed
from ekiben_contracts.event import Event
from ekiben_contracts.topics import (
    DEPLOYER,
    DEPLOYMENT_EVENTS,
    DEPLOYMENT_REQUESTS,
    REPLAY,
    ROUTES,
    TRAINED_MODELS,
    side_topic,
)
from ekiben_contracts.training import ModelTrained
from ekiben_deployer.app import assemble
from ekiben_deployer.fakes import FakePackager, FakeRegistry
from ekiben_deployer.settings import DeployerSettings
from ekiben_deployer.targets.fake import FakeTarget
from ekiben_serving.fake_client import FakeModelClient
from ekiben_serving.model_client import ModelOutput
from simulation.clock import calendar
from unit.deployer.building import NOW, SIGNATURE, trained
from unit.in_memory import PORTLESS, Kafka, until

HASTY = DeployerSettings(
    resync_s=0.05, ready_timeout_s=5, retire_grace_s=0.0, backoff_s=0.001, step_attempts=2
)


class Machine:
    """Topics, a target, a registry, and what each version answers (0.25 unless told otherwise)."""

    def __init__(self, settings: DeployerSettings = HASTY) -> None:
        self.kafka = Kafka(calendar)
        self.target = FakeTarget()
        self.packager = FakePackager()
        self.registry = FakeRegistry()
        self.answers: dict[str, float] = {}
        self.settings = settings
        self.metrics = CollectorRegistry()
        self._ids = itertools.count()

    def train(self, *versions: ModelTrained) -> None:
        for one in versions or [trained()]:
            self._send(TRAINED_MODELS, one)

    def ask(self, *requests: Event) -> None:
        for request in requests:
            self._send(DEPLOYMENT_REQUESTS, request)

    def tell(self, event: Event) -> None:
        self._send(DEPLOYMENT_EVENTS, event)

    def replay(self, request: Event) -> None:
        """As `ekiben dlq replay` does: into the topic of the deployer's own, as the second attempt."""
        value, headers = encode(request, id="replayed", source="/test", time=NOW)
        marks = {"topic": DEPLOYMENT_REQUESTS.name, "partition": 0, "offset": 0, "timestamp": 0, "attempt": 2}
        headers += [(f"ekiben-lane-{name}", str(value).encode()) for name, value in marks.items()]
        place = TopicPartition(side_topic(DEPLOYMENT_REQUESTS.name, DEPLOYER, REPLAY), 0)
        self.kafka.cluster.append(place, [(b"delay", value, headers)])

    def write_route(self, event: Event) -> None:
        self._send(ROUTES, event)

    def told(self) -> list[DeploymentProgressed]:
        return [event for event in self._events(DEPLOYMENT_EVENTS) if isinstance(event, DeploymentProgressed)]

    def steps(self, deployment_id: str) -> list[str]:
        return [event.step.value for event in self.told() if event.deployment_id == deployment_id]

    def routes(self, key: str) -> list[Event]:
        """Every revision, in the order it was written."""
        return [event for event in self._events(ROUTES) if event.key == key]

    async def end_of(self, *deployment_ids: str) -> list[DeploymentProgressed]:
        """The last step of each, once it was told."""

        def ends() -> list[DeploymentProgressed]:
            last = {event.deployment_id: event for event in self.told() if event.step.is_last}
            return [last[one] for one in deployment_ids if one in last]

        await until(lambda: len(ends()) == len(deployment_ids))
        return ends()

    @asynccontextmanager
    async def deployer(self) -> AsyncIterator[asyncio.Task[None]]:
        """A deployer that runs; yields its task, for those who would kill it."""
        service = self.service()
        self.metrics = service.registry
        serving = asyncio.create_task(service.serve())
        try:
            yield serving
        finally:
            service.stop()
            await asyncio.gather(serving, return_exceptions=True)
        if not serving.cancelled():
            serving.result()

    def service(self):
        return assemble(
            self.settings,
            PORTLESS,
            self.kafka.cluster,
            target=self.target,
            packager=self.packager,
            registry=self.registry,
            clients=self._client,
            clock=calendar,
        )

    def _client(self, one: ModelTrained, url: str) -> FakeModelClient:
        value = self.answers.get(one.version, 0.25)
        return FakeModelClient(SIGNATURE, lambda _: ModelOutput(one.model, one.version, value))

    def _send(self, topic, event: Event) -> None:
        key = topic.key_of(event)
        self.kafka.send(topic, event, id=f"test-{next(self._ids)}", key=key, partition=0)

    def _events(self, topic) -> list[Event]:
        records = self.kafka.records(topic.name)
        return [decode(record.value, record.headers, topic).data for record in records if record.value]
