"""Deployers as processes of their own: ask them, wait for what they tell, kill them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from types import TracebackType
from typing import Self

from ekiben_bus.cluster import KafkaCluster
from ekiben_bus.service import Service
from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_bus.verdicts import Outgoing
from ekiben_contracts.deployment import DeploymentProgressed, Step
from ekiben_contracts.event import Event
from ekiben_contracts.routing import ModelRouted, RoutedVersion
from ekiben_contracts.topics import DEPLOYMENT_EVENTS, ROUTES, Topic
from ekiben_deployer.routes import champion
from ekiben_mlops.settings import MlopsSettings
from integration.deployer.children import DEADLINE_S, Supervised, kill_hard

PATIENCE_S = 180.0


class Deployers:
    """A home, its topics, and the deployers that run on them."""

    def __init__(self, home: Supervised, tools: MlopsSettings, kafka: KafkaSettings, prefix: str) -> None:
        self.home = home
        self._environment = {
            **os.environ,
            "EKIBEN_HOME": str(home.root),
            "EKIBEN_TOPIC_PREFIX": prefix,
            "EKIBEN_DEPLOYER_RESYNC_S": "0.5",
            "EKIBEN_DEPLOYER_RETIRE_GRACE_S": "0",
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "MLFLOW_TRACKING_URI": tools.tracking_uri,
            "MLFLOW_ARTIFACT_ROOT": tools.artifact_root,
            "BENTOML_HOME": str(tools.bentoml_home),
        }
        self._user = Service("test-user", ServiceSettings(topic_prefix=prefix), KafkaCluster(kafka))
        self._events = self._user.table(DEPLOYMENT_EVENTS, _each)
        self._routes = self._user.table(ROUTES, _each)
        self._serving: asyncio.Task[None] | None = None
        self._started: list[subprocess.Popen[bytes]] = []

    async def __aenter__(self) -> Self:
        self._serving = asyncio.create_task(self._user.serve())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._started:
            process.terminate()
        for process in self._started:
            await asyncio.to_thread(process.wait, DEADLINE_S)
        self._user.stop()
        if self._serving is not None:
            await self._serving

    def start(self) -> subprocess.Popen[bytes]:
        log = self.home.root / f"deployer-{len(self._started)}.log"
        with log.open("wb") as output:
            started = subprocess.Popen(
                [sys.executable, "-m", "ekiben_deployer"], env=self._environment, stdout=output, stderr=output
            )
        self._started.append(started)
        return started

    async def kill(self, deployer: subprocess.Popen[bytes]) -> None:
        """SIGKILL."""
        await asyncio.to_thread(kill_hard, deployer.pid)

    async def send(self, topic: Topic, *events: Event) -> None:
        await self._user.publish([Outgoing(topic, event, id=f"{id(event)}") for event in events])

    def told(self, deployment_id: str) -> list[DeploymentProgressed]:
        events = [event for event in self._events.values() if isinstance(event, DeploymentProgressed)]
        return [event for event in events if event.deployment_id == deployment_id]

    def revisions(self, model: str) -> list[ModelRouted]:
        routes = [route for route in self._routes.values() if isinstance(route, ModelRouted)]
        return [route for route in routes if route.model == model]

    def champion(self, model: str) -> RoutedVersion | None:
        revisions = self.revisions(model)
        return champion(revisions[-1]) if revisions else None

    async def step(self, deployment_id: str, step: Step) -> DeploymentProgressed:
        """A step of a deployment, once it was told; an early end instead of it is an error."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                told = {event.step: event for event in self.told(deployment_id)}
                if step in told:
                    return told[step]
                ended = [event for event in told.values() if event.step.is_last]
                assert not ended, ended
                await asyncio.sleep(0.02)


def _each(event: Event) -> str:
    """Every different record has a row."""
    return event.to_json().decode()
