"""From trained models to routes: both models deployed, and an ensemble of them defined."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ekiben.client import Ekiben
from ekiben.demo.showing import Show, Stage
from ekiben.demo.tasks import task_group
from ekiben.deployments import Deployment
from ekiben.errors import NoAnswerError, StartError
from ekiben_bus.verdicts import Outgoing
from ekiben_contracts.deployment import Step
from ekiben_contracts.topics import TRAINED_MODELS
from ekiben_contracts.training import ModelTrained

_PATIENCE_S = 180.0


async def announce(models: Sequence[ModelTrained], trainer: Ekiben) -> None:
    """Say that they are trained, as whoever trains says it."""
    await trainer.send(
        [
            Outgoing(
                TRAINED_MODELS, event, f"{event.model}/{event.version}/{event.run_id}", event.model.encode()
            )
            for event in models
        ]
    )


async def deploy(
    models: Sequence[ModelTrained],
    ensemble: str,
    client: Ekiben,
    show: Show,
    feature_service: str | None = None,
) -> None:
    """Deploy announced models side by side, then make one of them; wait for each to be routed.

    Raises:
        StartError: a deployment did not complete.
        NoAnswerError: it did not end in time.
    """
    async with task_group() as deploying:
        for event in models:
            deployment = await client.deploy(event.model, event.version, feature_service=feature_service)
            deploying.create_task(_follow(deployment, f"Deploying {event.model} {event.version}", show))
    members = [event.model for event in models]
    await _follow(await client.define_ensemble(ensemble, members), f"Defining the ensemble {ensemble}", show)


async def _follow(deployment: Deployment, title: str, show: Show) -> None:
    with show.stage(title) as stage:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await _to_its_end(deployment, stage)
        except TimeoutError:
            raise NoAnswerError(
                expected=f"{deployment.model} to be deployed within {_PATIENCE_S:g} s",
                found="a deployment that has not ended",
                attempt="the log of the deployer",
            ) from None


async def _to_its_end(deployment: Deployment, stage: Stage) -> None:
    async for step in deployment.steps():
        stage.tell(step.step.replace("_", " "))
        if step.step.is_last and step.step is not Step.COMPLETED:
            raise StartError(
                expected=f"{deployment.model} to be deployed",
                found=f"{step.step}: {step.reason}",
                attempt="the log of the deployer",
            )
