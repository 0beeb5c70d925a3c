"""What can be set of the synthesizer. Every field is an environment variable."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SynthesizerSettings(BaseSettings):
    """How answers are put together: `EKIBEN_SYNTHESIZER_COVERAGE`, …"""

    model_config = SettingsConfigDict(env_prefix="EKIBEN_SYNTHESIZER_", frozen=True)

    coverage: float = Field(
        default=0.9,
        gt=0,
        lt=1,
        description="Share of outcomes an interval is to hold, where no ensemble says.",
    )
