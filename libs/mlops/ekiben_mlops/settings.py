"""Where MLflow and BentoML keep their state. Every field is an environment variable."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_CREDENTIALS: Final = re.compile(r"//[^/@]*@")


class MlopsSettings(BaseSettings):
    """`EKIBEN_HOME`, and where set `MLFLOW_TRACKING_URI`, `MLFLOW_ARTIFACT_ROOT`, `BENTOML_HOME`.

    By default all of it lies under EKIBEN_HOME: SQLite, files, no server.
    """

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    home: Path = Field(default=Path(".ekiben"), validation_alias="EKIBEN_HOME")
    tracking_uri_override: str | None = Field(default=None, validation_alias="MLFLOW_TRACKING_URI")
    artifact_root_override: str | None = Field(default=None, validation_alias="MLFLOW_ARTIFACT_ROOT")
    bentoml_home_override: Path | None = Field(default=None, validation_alias="BENTOML_HOME")
    experiment_prefix: str = Field(default="ekiben/", validation_alias="MLFLOW_EXPERIMENT_PREFIX")

    @property
    def tracking_uri(self) -> str:
        """Of runs and of the model registry."""
        return self.tracking_uri_override or f"sqlite:///{self.home.absolute() / 'mlflow.db'}"

    @property
    def shown_tracking_uri(self) -> str:
        """The tracking URI as it may stand in a message: without a password."""
        return _CREDENTIALS.sub("//***@", self.tracking_uri)

    @property
    def artifact_root(self) -> str:
        """Where new experiments keep their files."""
        return self.artifact_root_override or (self.home.absolute() / "mlartifacts").as_uri()

    @property
    def bentoml_home(self) -> Path:
        """The Bento store."""
        return (self.bentoml_home_override or self.home / "bentoml").absolute()
