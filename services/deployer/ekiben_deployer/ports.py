"""What the deployer asks of the MLOps tools: a Bento of a trained model, and the registry's marks."""

from __future__ import annotations

from typing import Protocol

from ekiben_contracts.training import ModelTrained
from ekiben_deployer.stages import Stage


class StepFailedError(Exception):
    """A step cannot be taken, now or later. The message is the reason that the users read."""


class Packager(Protocol):
    """Builds Bentos."""

    async def package(self, trained: ModelTrained) -> str:
        """The immutable tag; the same again for the same model, without another build.

        Raises:
            StepFailedError: this model makes no Bento.
        """
        ...


class Registry(Protocol):
    """Marks versions for the people who look at the model registry. Every mark may be set again."""

    async def promote(self, model: str, version: str) -> None:
        """The version that serves: the alias champion and the stage Production."""
        ...

    async def mark(self, model: str, version: str, stage: Stage) -> None:
        """The stage that a version is in."""
        ...
