"""What can be set of the feature store. Every field is an environment variable."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class FeatureSettings(BaseSettings):
    """Where features are, and how they are asked for: `EKIBEN_FEATURES_REPOSITORY`, …"""

    model_config = SettingsConfigDict(env_prefix="EKIBEN_FEATURES_", frozen=True)

    repository: Path | None = Field(
        default=None,
        description="The folder of a Feast repository, with its feature_store.yaml. Unset, requests bring "
        "every feature.",
    )
    timeout_s: float = Field(
        default=1.0,
        gt=0,
        description="What one read may take; requests that had no answer by then wait aside.",
    )
    rows_per_read: int = Field(default=1024, ge=1, description="Entities of one read, at the most.")
    probe_after_s: float = Field(
        default=10.0,
        ge=0,
        description="A store that is away is asked by what is parked for it; the main flow asks where nobody "
        "has for so long.",
    )
    outage_patience_s: float = Field(
        default=900.0,
        ge=0,
        description="How long requests wait for a store that is away; then they are dead letters.",
    )
