"""What can be set of shadow scoring. Every field is an environment variable."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from ekiben_contracts.health import LONGEST_GATEWAY, LONGEST_HEARTBEAT_S
from ekiben_inference_gateway.settings import this_process


class ShadowSettings(BaseSettings):
    """How shadow versions are asked: `EKIBEN_SHADOW_LONGEST_LAG_S`, …"""

    model_config = SettingsConfigDict(env_prefix="EKIBEN_SHADOW_", frozen=True)

    longest_lag_s: float = Field(
        default=60.0,
        gt=0,
        description="What was scored longer ago is not asked any more, but told to be skipped: so far behind "
        "the requests shadow scoring can get, at the most.",
    )
    call_budget_s: float = Field(
        default=1.0,
        gt=0,
        description="What a call may take; and when the calls about one batch have taken so long, the rest "
        "of it has failed.",
    )
    probe_after_s: float = Field(
        default=5.0, ge=0, description="A shadow that did not answer is asked again after so long."
    )
    max_retries: int = Field(default=0, ge=0, description="Of one call: what fails is to be seen.")
    max_concurrent_calls: int = Field(default=2, ge=1, le=1024, description="Calls under way at one shadow.")
    rows_per_call: int = Field(default=256, ge=1, description="Rows of one body, at the most.")
    call_target_s: float = Field(
        default=0.05,
        gt=0,
        description="What its rows may add to a call, in seconds: bodies grow and shrink to keep it.",
    )
    niceness: int = Field(
        default=10,
        ge=0,
        le=19,
        description="Of its process: on a machine that is full, everything else goes first.",
    )
    instance: str = Field(
        default_factory=this_process,
        min_length=1,
        max_length=LONGEST_GATEWAY,
        description="Who this process is in its reports; no two that ever run may share it.",
    )
    health_window_s: float = Field(
        default=5.0, ge=0.05, description="What is seen of shadows is reported for windows of this length."
    )
    health_heartbeat_s: float = Field(
        default=30.0, gt=0, le=LONGEST_HEARTBEAT_S, description="How often one without traffic is reported."
    )
    client_sweep_s: float = Field(
        default=10.0, gt=0, description="How often connections to versions that shadow no more are closed."
    )
