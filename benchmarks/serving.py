"""The model behind HTTP, twice: as Ekiben's Bento, and bare. The same trees, one worker and thread each."""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pandas as pd

from benchmarks.flights import Trees
from benchmarks.processes import Process, running
from ekiben_bus.brokers.ports import free_port
from ekiben_contracts.models import FeatureSpec, ProblemType
from ekiben_mlops.packaging import package
from ekiben_mlops.quiet import NO_PHONE_HOME
from ekiben_mlops.registry import Registry
from ekiben_mlops.serve import ONE_THREAD, serve_command, wait_ready
from ekiben_mlops.settings import MlopsSettings
from ekiben_mlops.trained import trained_event
from ekiben_serving.model_client import ModelDescription


@dataclass(frozen=True, slots=True)
class Served:
    """An Ekiben Bento that answers, what its route has to say of it, and its process if we started it."""

    model: str
    version: str
    url: str
    problem_type: ProblemType
    signature: tuple[FeatureSpec, ...]
    classes: tuple[str, ...]
    process: Process | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """The bare server, and the pickled model that it serves."""

    url: str
    model: Path


@contextmanager
def ekiben_bento(model: str, fitted: object, rows: pd.DataFrame, home: Path) -> Iterator[Served]:
    """Log, package and serve a fitted model, as the deployer would."""
    settings = MlopsSettings(
        home=home,
        tracking_uri_override=f"sqlite:///{home}/mlflow.db",
        artifact_root_override=(home / "mlartifacts").as_uri(),
        bentoml_home_override=home / "bentoml",
    )
    registry = Registry(settings)
    with registry.run("benchmarks"):
        version = registry.log_model(fitted, model, rows.head(1000))
    trained = trained_event(registry, model, version)
    command = serve_command(package(trained, settings), free_port(), settings, environ=os.environ)
    with running(command.argv, home / f"{model}.log", command.env) as process:
        asyncio.run(wait_ready(command.url, timeout_s=120))
        yield Served(
            model,
            version,
            command.url,
            trained.problem_type,
            tuple(trained.signature),
            tuple(trained.classes or ()),
            process,
        )


@contextmanager
def raw_bento(trees: Trees, home: Path) -> Iterator[Raw]:
    """Serve the bare model server of this repository."""
    port = free_port()
    model = home / f"trees-{port}.pickle"
    model.write_bytes(pickle.dumps(trees.fitted))
    command: Sequence[str] = (
        *(sys.executable, "-m", "bentoml", "serve", "benchmarks.raw_service:RawModel"),
        *("--working-dir", str(Path(__file__).parents[1]), "--host", "127.0.0.1", "--port", str(port)),
    )
    environment = {
        **NO_PHONE_HOME,
        **ONE_THREAD,
        "BENCHMARK_MODEL": str(model),
        "BENTOML_HOME": str(home / f"raw-{port}"),
    }
    with running(command, home / f"raw-{port}.log", environment):
        url = f"http://127.0.0.1:{port}"
        asyncio.run(wait_ready(url, timeout_s=120))
        yield Raw(url, model)


def somebody_elses(url: str) -> Served:
    """An Ekiben Bento that serves already: what it says of itself."""
    found = httpx.get(f"{url.rstrip('/')}/model_info", trust_env=False, timeout=10).raise_for_status().content
    said = ModelDescription.model_validate_json(found)
    return Served(said.model, said.version, url.rstrip("/"), said.problem_type, said.signature, said.classes)
