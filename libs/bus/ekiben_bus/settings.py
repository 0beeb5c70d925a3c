"""How to reach Kafka, and how a service consumes. Every field is an environment variable."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict


class KafkaSettings(BaseSettings):
    """Where Kafka is and how to log in: `KAFKA_BOOTSTRAP_SERVERS`, `KAFKA_SASL_PASSWORD`, …"""

    model_config = SettingsConfigDict(env_prefix="KAFKA_", frozen=True)

    bootstrap_servers: str = "127.0.0.1:9092"
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = "SCRAM-SHA-512"
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    sasl_oauth_token_endpoint: str | None = Field(
        default=None, description="Of OAUTHBEARER: where client credentials buy a token. https, or loopback."
    )
    sasl_oauth_client_id: str | None = None
    sasl_oauth_client_secret: SecretStr | None = None
    sasl_oauth_scope: str | None = None
    sasl_oauth_token_file: str | None = Field(
        default=None, description="Of OAUTHBEARER: a file that holds the token, read again when it changes."
    )
    ssl_cafile: str | None = Field(
        default=None, description="PEM file of whom to trust; unset, the system's authorities."
    )
    ssl_certfile: str | None = Field(
        default=None, description="PEM file of this client's own certificate, for mutual TLS."
    )
    ssl_keyfile: str | None = Field(default=None, description="Its key, unless that is in the same file.")
    ssl_key_password: SecretStr | None = None

    def as_environment(self) -> dict[str, str]:
        """The variables that make the same settings in a child process, secrets and all.

        An environment is read by the process's own user alone; a command line by everybody.
        """
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {
            f"KAFKA_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in values.items()
            if value is not None
        }


class OwnKafkaSettings(KafkaSettings):
    """Of a broker of our own: what is not given is the default, whatever the environment says of another."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


class ServiceSettings(BaseSettings):
    """How a service consumes and is watched: `EKIBEN_TOPIC_PREFIX`, `EKIBEN_HEALTH_PORT`, …"""

    model_config = SettingsConfigDict(env_prefix="EKIBEN_", frozen=True)

    topic_prefix: str = Field(default="", description="Before every topic and group, one per environment.")
    host: Literal["127.0.0.1", "::1", "localhost"] = Field(
        default="127.0.0.1",
        description="Where /livez, /readyz and /metrics listen. Loopback: they ask nobody who calls.",
    )
    health_port: int | None = Field(
        default=0, ge=0, le=65535, description="0 takes a free port and logs it; without one nothing listens."
    )
    batch_records: int = Field(
        default=1024,
        ge=1,
        description="Records of one batch, at the most. Larger ones leave the processor's caches.",
    )
    batch_bytes: int = Field(
        default=16 * 1024 * 1024, ge=1024, description="Bytes fetched ahead, at the most."
    )
    batches_in_flight: int = Field(
        default=4, ge=1, description="While one is published, the next are decided: so many, at the most."
    )
    batch_target_s: float = Field(
        default=0.5, gt=0, description="What a batch should take: batches shrink where it takes longer."
    )
    commit_interval_s: float = Field(default=0.25, gt=0)
    batch_timeout_s: float = Field(
        default=60.0, gt=0, description="A batch that takes longer is given up and read again."
    )
    backoff_s: float = Field(
        default=0.2, gt=0, description="The first wait after a batch that failed; doubles."
    )
    longest_backoff_s: float = Field(default=5.0, gt=0)
    retry_delays_s: tuple[float, float, float] = Field(
        default=(5.0, 60.0, 600.0),
        description="How long a record waits on each of the retry topics, in order.",
    )
    drain_timeout_s: float = Field(default=30.0, gt=0, description="What SIGTERM gives the batch in flight.")
