"""Two versions of a small real model, and deployers as processes of their own against a real Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from ekiben_bus.settings import KafkaSettings
from ekiben_contracts.training import ModelTrained
from ekiben_mlops.registry import Registry
from ekiben_mlops.settings import MlopsSettings
from ekiben_mlops.trained import trained_event
from integration.deployer.children import supervised
from integration.deployer.deployers import Deployers

MODEL = "delay"


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> MlopsSettings:
    """One MLflow and one Bento store for all tests."""
    return MlopsSettings(home=tmp_path_factory.mktemp("tools"))


@pytest.fixture(scope="session")
def versions(tools: MlopsSettings) -> list[ModelTrained]:
    """Versions 1 and 2 of the model, which answer differently."""
    registry = Registry(tools)
    return [trained_event(registry, MODEL, _train(registry, slope)) for slope in (1.0, -1.0)]


@pytest.fixture
async def deployers(
    tools: MlopsSettings, kafka_settings: KafkaSettings, topic_prefix: str, tmp_path: Path
) -> AsyncIterator[Deployers]:
    """Starts deployers; they and all they started are gone in the end."""
    with supervised(tmp_path / "home") as home:
        async with Deployers(home, tools, kafka_settings, topic_prefix) as found:
            yield found


def _train(registry: Registry, slope: float) -> str:
    rows = pd.DataFrame({"distance": np.linspace(-1.0, 1.0, 50), "hour": np.arange(50.0) % 24})
    model = LogisticRegression().fit(rows, slope * rows["distance"] > 0)
    with registry.run("deployer-tests"):
        return registry.log_model(model, MODEL, rows)
