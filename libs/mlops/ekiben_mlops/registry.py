"""MLflow: runs, models and the registry that is trusted to be loaded from."""

from __future__ import annotations

from ekiben_mlops.settings import MlopsSettings


class UntrustedModelError(ValueError):
    """A model URI outside the configured registry: loading a model runs code, so it is refused."""


class Registry:
    """One MLflow tracking server with its model registry."""

    def __init__(self, settings: MlopsSettings) -> None:
        raise NotImplementedError

    def set_alias(self, model: str, version: str, alias: str) -> None:
        """Point an alias such as `champion` at a version; it leaves the version that had it."""
        raise NotImplementedError

    def alias(self, model: str, alias: str) -> str | None:
        """The version that has the alias."""
        raise NotImplementedError
