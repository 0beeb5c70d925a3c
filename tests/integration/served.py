"""One real registry, two real models in it, their Bentos, and `bentoml serve` children."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from ekiben_contracts.event import FeatureValue
from ekiben_contracts.training import ModelTrained
from ekiben_mlops.packaging import package
from ekiben_mlops.registry import Registry
from ekiben_mlops.serve import serve_command, wait_ready
from ekiben_mlops.settings import MlopsSettings
from ekiben_mlops.trained import trained_event

READY_S = 120.0

ROW: dict[str, FeatureValue] = {
    "distance": 500.0,
    "wind": None,
    "temperature": 3,
    "seats": 100,
    "hour": 7,
    "night": False,
    "carrier": "UA",
}


def flights(number: int, seed: int = 0) -> pd.DataFrame:
    """Rows of every type a signature may have; wind is sometimes unknown."""
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "distance": draw.uniform(100, 3000, number),
            "wind": np.where(draw.random(number) < 0.2, np.nan, draw.uniform(0, 40, number)),
            "temperature": draw.uniform(-20, 35, number).astype("float32"),
            "seats": draw.integers(20, 400, number),
            "hour": draw.integers(0, 24, number).astype("int32"),
            "night": draw.random(number) < 0.3,
            "carrier": draw.choice(["UA", "AA", "DL", "B6"], number),
        }
    )


def _fit(model: object, rows: pd.DataFrame, target: pd.Series) -> Pipeline:
    texts = OneHotEncoder(handle_unknown="error", sparse_output=False)
    columns = make_column_transformer((texts, ["carrier"]), remainder="passthrough")
    return make_pipeline(columns, model).fit(rows, target)


@dataclass(frozen=True)
class Logged:
    """A model as it was fitted, and as it stands in the registry."""

    fitted: Pipeline
    event: ModelTrained


@dataclass
class Served:
    """A Bento that a child serves. `kill` and `start` are for tests of what happens then."""

    tag: str
    settings: MlopsSettings
    port: int
    child: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = serve_command(self.tag, self.port, self.settings, environ=os.environ)
        log = self.settings.home / f"serve-{self.port}.log"
        with log.open("ab") as out:
            self.child = subprocess.Popen(command.argv, env=dict(command.env), stdout=out, stderr=out)
        asyncio.run(wait_ready(self.url, timeout_s=READY_S))

    def worker(self) -> psutil.Process:
        """The process that computes, below the supervisor that was started."""
        assert self.child is not None
        (found,) = psutil.Process(self.child.pid).children()
        return found

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Signal the supervisor alone, and wait until neither it nor its worker is there."""
        if self.child is not None and self.child.poll() is None:
            worker = self.worker()
            self.child.send_signal(number)
            self.child.wait(60)
            worker.wait(60)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def mlops_settings(tmp_path_factory: pytest.TempPathFactory) -> MlopsSettings:
    home = tmp_path_factory.mktemp("ekiben-home")
    return MlopsSettings(
        home=home,
        tracking_uri_override=f"sqlite:///{home}/mlflow.db",
        artifact_root_override=(home / "mlartifacts").as_uri(),
        bentoml_home_override=Path(home / "bentoml"),
    )


@pytest.fixture(scope="session")
def registry(mlops_settings: MlopsSettings) -> Registry:
    return Registry(mlops_settings)


@pytest.fixture(scope="session")
def classifier(registry: Registry) -> Logged:
    """Is a flight late? Classes 'late' and 'on time', in that order."""
    rows = flights(600)
    late = rows["distance"] / 3000 + (rows["carrier"] == "UA") + rows["wind"].fillna(0) / 40 > 1
    fitted = _fit(
        HistGradientBoostingClassifier(max_iter=20), rows, late.map({True: "late", False: "on time"})
    )
    with registry.run("flights", "classifier", {"purpose": "test"}):
        registry.log_params({"max_iter": 20})
        registry.log_metrics({"auc": 0.75})
        version = registry.log_model(fitted, "late", rows, tags={"stage": "Staging"})
    return Logged(fitted, trained_event(registry, "late", version))


@pytest.fixture(scope="session")
def regressor(registry: Registry) -> Logged:
    """By how many minutes?"""
    rows = flights(600)
    fitted = _fit(HistGradientBoostingRegressor(max_iter=20), rows, rows["distance"] / 100 + rows["hour"])
    with registry.run("flights", "regressor"):
        version = registry.log_model(fitted, "Minutes.of_delay", rows)
    return Logged(fitted, trained_event(registry, "Minutes.of_delay", version))


@contextmanager
def serving(trained: ModelTrained, settings: MlopsSettings) -> Iterator[Served]:
    """A Bento of a model, until the end."""
    found = Served(package(trained, settings), settings, free_port())
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="session")
def served(classifier: Logged, mlops_settings: MlopsSettings) -> Iterator[Served]:
    """The classifier, served."""
    with serving(classifier.event, mlops_settings) as found:
        yield found


@pytest.fixture(scope="session")
def served_regressor(regressor: Logged, mlops_settings: MlopsSettings) -> Iterator[Served]:
    """The regressor, served beside it."""
    with serving(regressor.event, mlops_settings) as found:
        yield found
