"""The MLOps tools behind the deployer's ports: MLflow, BentoML, and the command that serves a Bento."""

from __future__ import annotations

import asyncio

from ekiben_contracts.training import ModelTrained
from ekiben_deployer.ports import StepFailedError
from ekiben_deployer.stages import Stage
from ekiben_mlops.errors import MlopsError
from ekiben_mlops.packaging import package
from ekiben_mlops.registry import Registry as MlflowRegistry
from ekiben_mlops.serve import serve_command
from ekiben_mlops.settings import MlopsSettings

CHAMPION = "champion"
STAGE = "stage"


class BentoPackager:
    """Packages in a thread, one model at a time: a build takes all of a core, and BentoML's store."""

    def __init__(self, settings: MlopsSettings) -> None:
        self._settings = settings
        self._building = asyncio.Lock()

    async def package(self, trained: ModelTrained) -> str:
        """See Packager.package."""
        async with self._building:
            try:
                return await asyncio.to_thread(package, trained, self._settings)
            except MlopsError as error:
                raise StepFailedError(str(error)) from error


class ModelRegistry:
    """Marks versions in MLflow, by an alias and a tag: MLflow's own stages are deprecated."""

    def __init__(self, settings: MlopsSettings) -> None:
        self._settings = settings

    async def promote(self, model: str, version: str) -> None:
        """See Registry.promote."""
        await asyncio.to_thread(self._promote, model, version)

    async def mark(self, model: str, version: str, stage: Stage) -> None:
        """See Registry.mark."""
        await asyncio.to_thread(self._mark, model, version, stage)

    def _promote(self, model: str, version: str) -> None:
        MlflowRegistry(self._settings).set_alias(model, version, CHAMPION)
        self._mark(model, version, Stage.PRODUCTION)

    def _mark(self, model: str, version: str, stage: Stage) -> None:
        MlflowRegistry(self._settings).set_tag(model, version, STAGE, stage)


def local_command(settings: MlopsSettings, bento: str, port: int) -> tuple[tuple[str, ...], dict[str, str]]:
    """The command that serves a Bento on a port, and what it needs in its environment beyond ours."""
    command = serve_command(bento, port, settings, environ={})
    return command.argv, dict(command.env)
