"""How the deployer works. Every field is an environment variable."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from ekiben_contracts.topics import MODEL_OUTPUTS


class DeployerSettings(BaseSettings):
    """`EKIBEN_HOME`, and `EKIBEN_DEPLOYER_READY_TIMEOUT_S`, `EKIBEN_DEPLOYER_WARM_UP_TOLERANCE`, …"""

    model_config = SettingsConfigDict(env_prefix="EKIBEN_DEPLOYER_", frozen=True, populate_by_name=True)

    home: Path = Field(default=Path(".ekiben"), validation_alias="EKIBEN_HOME")
    resync_s: float = Field(
        default=5.0, gt=0, description="How often wanted and running are compared anyway."
    )
    ready_timeout_s: float = Field(default=120.0, gt=0, description="What a started child has to get ready.")
    most_deaths: int = Field(default=3, ge=1, description="A child that dies this often will not get ready.")
    warm_up_tolerance: float = Field(
        default=1e-6,
        ge=0,
        description="How far, relatively or absolutely, an answer may be from the expected.",
    )
    retire_grace_s: float = Field(
        default=10.0, ge=0, description="How long the old version still runs once it gets no traffic."
    )
    step_attempts: int = Field(
        default=5, ge=1, description="Tries of a step that breaks for no known reason."
    )
    backoff_s: float = Field(default=0.5, gt=0, description="The wait after the first of them; doubles.")

    @property
    def retired_for(self) -> timedelta:
        """How long a retired version stays in its route: outputs that name it can be read that long."""
        return timedelta(milliseconds=MODEL_OUTPUTS.retention_ms)
