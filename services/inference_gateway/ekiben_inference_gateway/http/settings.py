"""What can be set of the HTTP face. Every field is an environment variable."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ekiben_contracts.access import Rate
from ekiben_contracts.wording import describe

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Of tokens: with a public key only, so that what verifies one can never make one."""


class Route(StrEnum):
    """What can be switched off."""

    PREDICTIONS = "predictions"
    BATCHES = "batches"
    EXPLANATIONS = "explanations"
    MODELS = "models"
    HEALTH = "health"
    INFERENCE_PROTOCOL = "inference_protocol"
    OPENAPI = "openapi"


class HttpSettings(BaseSettings):
    """Where it listens, who may ask, and how much: `EKIBEN_HTTP_PORT`, `EKIBEN_HTTP_KEYS_FILE`, …"""

    model_config = SettingsConfigDict(env_prefix="EKIBEN_HTTP_", frozen=True)

    port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Without one nothing listens; 0 takes a free one and logs it.",
    )
    host: str = Field(default="127.0.0.1", description="Beyond loopback it needs keys or tokens.")
    routes: frozenset[Route] = Field(
        default=frozenset(Route), description="Those that answer, as a JSON array; others are not found."
    )

    keys_file: Path | None = Field(default=None, description="API keys, as `ekiben keys create` writes them.")
    jwks_url: str | None = Field(
        default=None,
        pattern=r"^(https://|http://(127\.0\.0\.1|localhost|\[::1\])[:/])",
        description="Where the keys of an OIDC provider are.",
    )
    jwks_file: Path | None = Field(default=None, description="The same as a file.")
    jwt_issuer: str | None = Field(default=None, min_length=1, description="Whose tokens are taken.")
    jwt_audience: str | None = Field(default=None, min_length=1, description="Whom they must be for.")
    jwt_algorithms: frozenset[Algorithm] = frozenset[Algorithm]({"RS256", "ES256"})
    jwt_leeway_s: float = Field(default=10.0, ge=0, le=300, description="How far clocks may be off.")
    rate: Rate | None = Field(
        default=None, description="Rows of one caller in a time, such as 6000/minute; a key may have its own."
    )

    body_bytes: int = Field(default=1024 * 1024, ge=1024, description="Of one request, at the most.")
    body_timeout_s: float = Field(
        default=10.0,
        gt=0,
        description="How long a head or a body may take to arrive, and a client to take some of its answer.",
    )
    rows: int = Field(default=1024, ge=1, description="Of one request, at the most.")
    features: int = Field(default=1000, ge=1, description="Of one row, at the most.")
    requests_at_a_time: int = Field(
        default=512, ge=1, description="Under way, of all callers; further ones are told to come again."
    )
    connections: int = Field(default=2048, ge=1, description="Open at a time.")

    rows_per_batch: int = Field(
        default=1024, ge=1, description="Rows of several requests that go to a model together, at the most."
    )
    batches_at_a_time: int = Field(
        default=2, ge=1, description="Under way at one endpoint; meanwhile the next one collects."
    )
    waiting_rows: int = Field(default=8192, ge=1, description="For one endpoint, at the most.")
    waiting_requests: int = Field(default=256, ge=1, description="For one endpoint, at the most.")

    publish_answers: bool = Field(
        default=True, description="As the events that the bus would have: outcomes and results see them."
    )
    unpublished_answers: int = Field(
        default=20_000,
        ge=1,
        description="That wait for Kafka, at the most; further ones are counted and lost.",
    )
    drain_timeout_s: float = Field(
        default=10.0, gt=0, description="What a stop gives to answers under way, and as much to their events."
    )

    @property
    def asks_who(self) -> bool:
        """Whether callers must say who they are."""
        return self.keys_file is not None or self.takes_tokens

    @property
    def takes_tokens(self) -> bool:
        """Whether OIDC tokens are taken."""
        return self.jwks_url is not None or self.jwks_file is not None

    @model_validator(mode="after")
    def _nobody_unknown_from_afar(self) -> Self:
        if self.port is not None and not is_loopback(self.host) and not self.asks_who:
            raise ValueError(
                f"expected keys or tokens before it listens beyond loopback, found host {self.host!r} and "
                "neither; set EKIBEN_HTTP_KEYS_FILE (`ekiben keys create` writes one) or "
                "EKIBEN_HTTP_JWKS_URL, or listen on 127.0.0.1"
            )
        return self

    @model_validator(mode="after")
    def _whole_token_settings(self) -> Self:
        if self.jwks_url is not None and self.jwks_file is not None:
            raise ValueError("expected either EKIBEN_HTTP_JWKS_URL or EKIBEN_HTTP_JWKS_FILE, found both")
        if self.takes_tokens and (self.jwt_issuer is None or self.jwt_audience is None):
            raise ValueError(
                "expected EKIBEN_HTTP_JWT_ISSUER and EKIBEN_HTTP_JWT_AUDIENCE beside the JWKS, found one "
                "missing: a token for somebody else must not open this gateway"
            )
        return self


class HttpSettingsError(ValueError):
    """The gateway must not listen like this. Mend the variable that the message names."""


def read_settings() -> HttpSettings:
    """What the environment says.

    Raises:
        HttpSettingsError: a variable is wrong, or callers would be unknown.
    """
    try:
        return HttpSettings()
    except ValidationError as error:
        own = [str(one.get("ctx", {}).get("error")) for one in error.errors() if one["type"] == "value_error"]
        raise HttpSettingsError(f"EKIBEN_HTTP_*: {'; '.join(own) or describe(error)}") from None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it. A name other than localhost may be anything."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
