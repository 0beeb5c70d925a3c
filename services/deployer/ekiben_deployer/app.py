"""The one place where the deployer is put together."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from ekiben_bus.cluster import Cluster
from ekiben_bus.service import Service, now
from ekiben_bus.settings import KafkaSettings, ServiceSettings
from ekiben_contracts.topics import (
    DEPLOYER,
    DEPLOYMENT_EVENTS,
    DEPLOYMENT_REQUESTS,
    ROUTES,
    TRAINED_MODELS,
)
from ekiben_contracts.training import ModelTrained
from ekiben_deployer.controller import Controller
from ekiben_deployer.handling import refuse, take_note
from ekiben_deployer.ledger import Ledger, Views, request_row, step_row, trained_row
from ekiben_deployer.metrics import DeployerMetrics
from ekiben_deployer.mlops import BentoPackager, ModelRegistry, local_command
from ekiben_deployer.ports import Packager, Registry
from ekiben_deployer.rollouts import Rollouts
from ekiben_deployer.settings import DeployerSettings
from ekiben_deployer.steps import Steps
from ekiben_deployer.targets import Target
from ekiben_deployer.targets.local import LocalTarget
from ekiben_deployer.upholding import Upkeep
from ekiben_deployer.warming import ClientFactory, WarmUp
from ekiben_mlops.settings import MlopsSettings
from ekiben_serving.http_client import HTTPModelClient


def build(
    settings: DeployerSettings, service_settings: ServiceSettings, kafka: KafkaSettings | Cluster
) -> Service:
    """The deployer as a service, not started, on this machine's MLflow, BentoML and processes."""
    mlops = MlopsSettings(home=settings.home)
    return assemble(
        settings,
        service_settings,
        kafka,
        target=LocalTarget(settings.home, partial(local_command, mlops), random.SystemRandom()),
        packager=BentoPackager(mlops),
        registry=ModelRegistry(mlops),
        clients=http_client,
    )


def assemble(
    settings: DeployerSettings,
    service_settings: ServiceSettings,
    kafka: KafkaSettings | Cluster,
    *,
    target: Target,
    packager: Packager,
    registry: Registry,
    clients: ClientFactory,
    clock: Callable[[], datetime] = now,
) -> Service:
    """The deployer as a service, not started, on whatever stands behind its ports."""
    service = Service(DEPLOYER, service_settings, kafka, clock=clock)
    requests = service.table(DEPLOYMENT_REQUESTS, request_row)
    views = Views(
        requests=requests,
        events=service.table(DEPLOYMENT_EVENTS, step_row),
        trained=service.table(TRAINED_MODELS, trained_row),
        routes=service.table(ROUTES),
    )
    ledger = Ledger(views, service.publish)
    warm_up = WarmUp(target, clients, settings)
    steps = Steps(ledger, target, packager, registry, warm_up, settings, clock)
    rollouts = Rollouts(ledger, target, steps, settings, DeployerMetrics(service.registry), clock)
    upkeep = Upkeep(ledger, target, timedelta(seconds=settings.retire_grace_s), clock)
    owns = partial(service.owns, DEPLOYMENT_REQUESTS)
    controller = Controller(ledger, rollouts, upkeep, owns, settings.resync_s)
    requests.on_change(controller.wake)
    for topic in (DEPLOYMENT_REQUESTS, TRAINED_MODELS):
        service.consume(topic, take_note, on_failure=partial(refuse, clock=clock))
    service.background(controller.run)
    return service


def http_client(trained: ModelTrained, url: str) -> HTTPModelClient:
    """The client of one instance: it refuses the answers of any other version."""
    return HTTPModelClient(trained.model, url, version=trained.version, signature=trained.signature)
