from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime

import pytest
from aiokafka import TopicPartition
from rich.console import Console

from ekiben import Ekiben
from ekiben.demo.deploying import announce, deploy
from ekiben.demo.showing import Lines
from ekiben.demo.tasks import end
from ekiben.errors import StartError
from ekiben.reading import Log
from ekiben_bus.memory import MemoryCluster
from ekiben_contracts.cloudevents import decode, encode
from ekiben_contracts.deployment import DeploymentProgressed, DeploymentRequested, EnsembleRequested, Step
from ekiben_contracts.models import DType, FeatureSpec, InputExample, ProblemType
from ekiben_contracts.topics import DEPLOYMENT_EVENTS, DEPLOYMENT_REQUESTS, TRAINED_MODELS
from ekiben_contracts.training import ModelTrained

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def trained(model: str) -> ModelTrained:
    return ModelTrained(
        model=model,
        version="1",
        model_uri=f"models:/{model}/1",
        problem_type=ProblemType.REGRESSION,
        signature=[FeatureSpec(name="distance", dtype=DType.LONG)],
        input_example=InputExample(features={"distance": 1}, expected=1.0),
        run_id="run",
        trained_at=NOW,
    )


class Deployer:
    """Answers every request with two steps; those of a model named `bad` end in failure."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster
        self.asked: list[DeploymentRequested | EnsembleRequested] = []

    async def run(self) -> None:
        log = await Log.open(self._cluster, DEPLOYMENT_REQUESTS.name, [0], from_beginning=True)
        while True:
            for record in await log.read():
                request = decode(record.value, record.headers, DEPLOYMENT_REQUESTS).data
                assert isinstance(request, DeploymentRequested | EnsembleRequested)
                self.asked.append(request)
                last = Step.ROLLED_BACK if request.model == "bad" else Step.COMPLETED
                for step in (Step.PLANNED, last):
                    self._tell(request, step)

    def _tell(self, request: DeploymentRequested | EnsembleRequested, step: Step) -> None:
        event = DeploymentProgressed(
            deployment_id=request.deployment_id,
            model=request.model,
            version=None,
            step=step,
            reason="the warm-up differs",
            at=NOW,
        )
        value, headers = encode(event, id=f"{request.deployment_id}/{step}", source="/test", time=NOW)
        self._cluster.append(TopicPartition(DEPLOYMENT_EVENTS.name, 0), [(None, value, headers)])


async def _deploy(models: list[str], cluster: MemoryCluster, client: Ekiben) -> tuple[Deployer, str]:
    deployer = Deployer(cluster)
    running = asyncio.create_task(deployer.run())
    console = Console(file=io.StringIO())
    try:
        events = [trained(model) for model in models]
        await announce(events, client)
        await deploy(events, "both", client, Lines(console))
    finally:
        await end(running)
    assert isinstance(console.file, io.StringIO)
    return deployer, console.file.getvalue()


async def test_models_are_announced_deployed_and_combined(cluster: MemoryCluster, client: Ekiben) -> None:
    deployer, shown = await _deploy(["trees", "linear"], cluster, client)

    announced = cluster.log(TopicPartition(TRAINED_MODELS.name, 0)).records
    events = [decode(record.value, record.headers, TRAINED_MODELS).data for record in announced]
    assert events == [trained("trees"), trained("linear")]
    assert [(one.type, one.model) for one in deployer.asked] == [
        (DeploymentRequested.type, "trees"),
        (DeploymentRequested.type, "linear"),
        (EnsembleRequested.type, "both"),
    ]
    ensemble = deployer.asked[-1]
    assert isinstance(ensemble, EnsembleRequested)
    assert ensemble.members == ["trees", "linear"]
    assert "Deploying trees 1: planned" in shown
    assert "Defining the ensemble both: done" in shown


async def test_a_deployment_that_fails_says_why_and_ends_the_demo(
    cluster: MemoryCluster, client: Ekiben
) -> None:
    with pytest.raises(
        StartError, match=r"expected bad to be deployed, found rolled_back: the warm-up differs"
    ):
        await _deploy(["trees", "bad"], cluster, client)
