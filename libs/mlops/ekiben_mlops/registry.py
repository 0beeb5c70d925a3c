"""MLflow: experiments, runs, models, and the one registry that models may be loaded from."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ekiben_mlops.errors import UnknownModelError, UntrustedModelError
from ekiben_mlops.logged_model import log_pipeline
from ekiben_mlops.quiet import NO_PHONE_HOME
from ekiben_mlops.settings import MlopsSettings

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import ActiveRun
    from mlflow.entities.model_registry import ModelVersion

_REGISTERED: Final = re.compile(r"models:/(?P<model>[^/@:]+)(?:/(?P<version>\d+)|@(?P<alias>[^/@:]+))")


class Registry:
    """One MLflow tracking server and its model registry.

    MLflow's own functions know one server a process; so does this class. MLflow takes seconds to
    import, and is only imported once a registry is opened.
    """

    def __init__(self, settings: MlopsSettings) -> None:
        os.environ.update(NO_PHONE_HOME)  # mlflow reads it when it is imported
        import mlflow  # noqa: PLC0415 - see above

        settings.home.mkdir(parents=True, exist_ok=True)
        mlflow.set_tracking_uri(settings.tracking_uri)
        mlflow.set_registry_uri(settings.tracking_uri)
        self._mlflow = mlflow
        self._client = mlflow.MlflowClient(settings.tracking_uri, settings.tracking_uri)
        self._settings = settings

    @contextmanager
    def run(
        self, experiment: str, name: str | None = None, tags: Mapping[str, str] | None = None
    ) -> Iterator[ActiveRun]:
        """A run in an experiment, which is made where it is missing. An exception marks the run failed."""
        experiment_id = self._experiment(experiment)
        with self._mlflow.start_run(experiment_id=experiment_id, run_name=name, tags=dict(tags or {})) as run:
            yield run

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Into the current run."""
        self._mlflow.log_params(dict(params))

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Into the current run."""
        self._mlflow.log_metrics(dict(metrics), step=step)

    def log_model(
        self,
        model: object,
        name: str,
        rows: pd.DataFrame,
        *,
        tags: Mapping[str, str] | None = None,
        sensitive: Collection[str] = (),
    ) -> str:
        """Log a fitted scikit-learn model into the current run, register it and return its new version.

        `rows` are rows it was trained on: its signature is theirs, a column with nulls among them is
        optional, and the first row is the input example. What stands in its `sensitive` columns is
        shown to nobody who has not asked for it.

        Raises:
            UnservableModelError: it holds types that are not of the known libraries, or lacks a column.
        """
        version = log_pipeline(self._mlflow, model, name, rows, sensitive)
        for key, value in (tags or {}).items():
            self._client.set_model_version_tag(name, version, key, value)
        return version

    def set_alias(self, model: str, version: str, alias: str) -> None:
        """Point an alias such as `champion` at a version; it leaves the version that had it."""
        self.version(model, version)
        self._client.set_registered_model_alias(model, alias, version)

    def alias(self, model: str, alias: str) -> str | None:
        """The version that has the alias."""
        try:
            return str(self._client.get_model_version_by_alias(model, alias).version)
        except self._mlflow.MlflowException:
            return None

    def set_tag(self, model: str, version: str, key: str, value: str) -> None:
        """Tag a version, for example with its stage."""
        self._client.set_model_version_tag(model, version, key, value)

    def version(self, model: str, version: str) -> ModelVersion:
        """What the registry says of a version.

        Raises:
            UnknownModelError: it does not have it.
        """
        try:
            return self._client.get_model_version(model, version)
        except self._mlflow.MlflowException as error:
            raise UnknownModelError(
                f"expected {model} {version} in {self._settings.shown_tracking_uri}, found none: {error}. "
                "Is MLFLOW_TRACKING_URI, or EKIBEN_HOME, the one it was trained with?"
            ) from error

    def run_metrics(self, run_id: str) -> dict[str, float]:
        """The last value of each metric of a run."""
        return dict(self._client.get_run(run_id).data.metrics)

    def resolve(self, model_uri: str) -> ModelVersion:
        """The version that a URI of this registry names: models:/NAME/VERSION or models:/NAME@ALIAS.

        Raises:
            UntrustedModelError: any other URI; a path or a run holds what nobody registered.
            UnknownModelError: the registry does not have it.
        """
        named = _REGISTERED.fullmatch(model_uri)
        if named is None:
            raise UntrustedModelError(
                f"expected models:/NAME/VERSION or models:/NAME@ALIAS, found {model_uri[:200]!r}. "
                "Only what stands in the configured registry is loaded: register it first."
            )
        version = named["version"] or self.alias(named["model"], named["alias"])
        if version is None:
            raise UnknownModelError(
                f"expected the alias {named['alias']} on a version of {named['model']}, found none"
            )
        return self.version(named["model"], version)

    def download(self, model_uri: str, directory: Path) -> Path:
        """Copy the files of a registered model into a directory, and return where they are.

        Raises:
            UntrustedModelError, UnknownModelError: see resolve.
        """
        from mlflow.artifacts import download_artifacts  # noqa: PLC0415 - see above

        found = self.resolve(model_uri)
        uri = f"models:/{found.name}/{found.version}"
        return Path(download_artifacts(artifact_uri=uri, dst_path=str(directory)))

    def _experiment(self, name: str) -> str:
        full = f"{self._settings.experiment_prefix}{name}"
        found = self._client.get_experiment_by_name(full)
        if found is not None:
            return str(found.experiment_id)
        return str(self._client.create_experiment(full, f"{self._settings.artifact_root}/{full}"))
