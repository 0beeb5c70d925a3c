"""Tiny models, each behind a `bentoml serve` of its own, and the routes that lead to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from ekiben_bus.cluster import KafkaCluster
from ekiben_bus.publishing import PartitionPublisher, WireRecord
from ekiben_bus.settings import KafkaSettings
from ekiben_contracts.models import Role
from ekiben_contracts.routing import ModelRouted, RoutedVersion
from ekiben_contracts.topics import ROUTES
from ekiben_contracts.training import ModelTrained
from ekiben_mlops.packaging import package
from ekiben_mlops.registry import Registry
from ekiben_mlops.settings import MlopsSettings
from ekiben_mlops.trained import trained_event
from integration.served import Served, free_port

WELL, SICK = "tiny-well", "tiny-sick"


@dataclass(frozen=True)
class ModelServer:
    """A model and the processes that serve it."""

    trained: ModelTrained
    served: Served

    def route(self, url: str | None = None) -> ModelRouted:
        """All its traffic to its server, or to what stands before it."""
        version = RoutedVersion(
            version=self.trained.version,
            url=url or self.served.url,
            weight=10_000,
            role=Role.CHAMPION,
            signature=self.trained.signature,
        )
        return ModelRouted(
            model=self.trained.model,
            revision=1,
            problem_type=self.trained.problem_type,
            classes=self.trained.classes,
            versions=[version],
            routed_at=datetime.now(UTC),
        )


@contextmanager
def serving_models(home: Path, *names: str) -> Iterator[list[ModelServer]]:
    """A server for each name; a name that comes again is the next version. x above 0 is a yes, by all."""
    settings = MlopsSettings(
        home=home,
        tracking_uri_override=f"sqlite:///{home}/mlflow.db",
        artifact_root_override=(home / "mlartifacts").as_uri(),
        bentoml_home_override=Path(home / "bentoml"),
    )
    registry = Registry(settings)
    rows = pd.DataFrame({"x": np.linspace(-3.0, 3.0, 50)})
    fitted = LogisticRegression().fit(rows, np.where(rows["x"] > 0, "yes", "no"))
    found: list[ModelServer] = []
    try:
        for name in names:
            with registry.run("tiny"):
                version = registry.log_model(fitted, name, rows)
            trained = trained_event(registry, name, version)
            found.append(ModelServer(trained, Served(package(trained, settings), settings, free_port())))
            found[-1].served.start()
        yield found
    finally:
        for server in found:
            server.served.stop()


@pytest.fixture(scope="session")
def model_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ModelServer]]:
    """By name."""
    with serving_models(tmp_path_factory.mktemp("models"), WELL, SICK) as found:
        yield {server.trained.model: server for server in found}


async def publish_routes(kafka: KafkaSettings, prefix: str, *routes: ModelRouted) -> None:
    """As the deployer does."""
    publisher = PartitionPublisher(KafkaCluster(kafka))
    header = [("ce_type", ModelRouted.type.encode())]
    topic = prefix + ROUTES.name
    await publisher.publish(
        [WireRecord(topic, 0, route.key.encode(), route.to_json(), header) for route in routes]
    )
    await publisher.stop()
