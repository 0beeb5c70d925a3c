"""What can be set of the gateway. Every field is an environment variable."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from ekiben_contracts.health import LONGEST_GATEWAY, LONGEST_HEARTBEAT_S


def this_process() -> str:
    """HOST/PID/SECONDS: a container that is started again has the host and the pid that it had."""
    return f"{socket.gethostname()[:64]}/{os.getpid()}/{int(time.time())}"


class GatewaySettings(BaseSettings):
    """How requests are routed and models are asked: `EKIBEN_GATEWAY_CALL_BUDGET_S`, …"""

    model_config = SettingsConfigDict(env_prefix="EKIBEN_GATEWAY_", frozen=True)

    rows_per_call: int = Field(default=1024, ge=1, description="Rows of one body to a model, at the most.")
    calls_at_a_time: int = Field(
        default=4, ge=1, description="Bodies of one batch that one endpoint is given at a time, at the most."
    )
    call_target_s: float = Field(
        default=0.05,
        gt=0,
        description="What its rows may add to a call, in seconds: bodies grow and shrink to keep it.",
    )
    call_budget_s: float = Field(
        default=1.0,
        gt=0,
        description="What a call may take, retries included; a slower model is unavailable. What has not had "
        "its turn by then waits aside.",
    )
    max_retries: int = Field(default=3, ge=0, description="Of one call, within the budget.")
    max_concurrent_calls: int = Field(
        default=8,
        ge=1,
        le=1024,
        description="Calls under way at one endpoint, of all lanes together; the endpoints file has its own.",
    )
    explain_rows: int = Field(
        default=64,
        ge=0,
        description="Requests with explain=true of one batch that one endpoint is asked about, at the most; "
        "0 explains nothing.",
    )
    explain_budget_s: float = Field(
        default=1.0, gt=0, description="How long a batch waits for explanations: answers go out without."
    )
    clock_skew_s: float = Field(
        default=1.0, ge=0, description="How long past its deadline a request is still computed."
    )
    least_patience_s: float = Field(
        default=0.25,
        gt=0,
        description="While other models answer, a model is given about as long as its last calls took, and "
        "at least this; then its requests are parked.",
    )
    probe_after_s: float = Field(
        default=10.0,
        ge=0,
        description="A model that is down is asked by what is parked for it; the main flow asks where nobody "
        "has for so long.",
    )
    outage_patience_s: float = Field(
        default=900.0,
        ge=0,
        description="How long the requests of an endpoint that is down wait; then they are dead letters.",
    )
    endpoints_file: Path | None = Field(
        default=None,
        description="config/model_endpoints.yaml or another: models to serve without a deployer, and where "
        "else to ask when an endpoint is away.",
    )
    draw_by: Literal["request_id", "entity_id"] = Field(
        default="request_id", description="What draws the version: entity_id keeps an entity on one version."
    )
    instance: str = Field(
        default_factory=this_process,
        min_length=1,
        max_length=LONGEST_GATEWAY,
        description="Who this gateway is in its reports; no two that ever run may share it.",
    )
    health_window_s: float = Field(
        default=5.0, ge=0.05, description="What is seen of endpoints is reported for windows of this length."
    )
    health_heartbeat_s: float = Field(
        default=30.0,
        gt=0,
        le=LONGEST_HEARTBEAT_S,
        description="How often an endpoint without traffic is reported.",
    )
    client_sweep_s: float = Field(
        default=10.0, gt=0, description="How often connections to endpoints that left the routes are closed."
    )
