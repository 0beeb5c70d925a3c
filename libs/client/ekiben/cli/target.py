"""Which broker a command talks to: the one that is named, else the one of the running `ekiben up`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ekiben.client import Ekiben
from ekiben.errors import NoBrokerError
from ekiben.local import running
from ekiben.local.home import Home
from ekiben.local.logins import Logins
from ekiben.local.running import Running
from ekiben_bus.brokers.rungs import Rung
from ekiben_bus.settings import KafkaSettings, OwnKafkaSettings
from ekiben_contracts.topics import USERS


@dataclass(frozen=True, slots=True)
class Target:
    """A cluster, an environment on it, and who named it."""

    kafka: KafkaSettings
    topic_prefix: str
    origin: str

    def client(self) -> Ekiben:
        """A client of it, not opened."""
        return Ekiben(kafka=self.kafka, topic_prefix=self.topic_prefix)


def find_target(
    bootstrap_servers: str | None, topic_prefix: str | None, home: Path | None = None, *, role: str = USERS
) -> Target:
    """The cluster to talk to; on an `ekiben up --secure`, by the login of a role, out of its home.

    Raises:
        NoBrokerError: nobody named one.
        NotFoundError: the login cannot be read.
    """
    if bootstrap_servers:
        kafka = KafkaSettings(bootstrap_servers=bootstrap_servers)
        return Target(kafka, topic_prefix or "", "--bootstrap-servers or KAFKA_BOOTSTRAP_SERVERS")
    where = Home.of(home)
    found = running.read(where)
    if found is None:
        raise _nobody(where)
    prefix = found.topic_prefix if topic_prefix is None else topic_prefix
    return Target(_settings(found, where, role), prefix, f"`ekiben up` in {where.path}, rung {found.broker}")


def _settings(found: Running, home: Home, role: str) -> KafkaSettings:
    if found.secure:
        return Logins(home).of(role, found.bootstrap_servers)
    if found.broker == Rung.EXTERNAL:
        return KafkaSettings(bootstrap_servers=found.bootstrap_servers)
    return OwnKafkaSettings(bootstrap_servers=found.bootstrap_servers)


def _nobody(home: Home) -> NoBrokerError:
    starting = running.is_held(home)
    return NoBrokerError(
        expected="a broker to talk to",
        found=f"neither --bootstrap-servers nor KAFKA_BOOTSTRAP_SERVERS, and {home.path} has "
        + ("an `ekiben up` that is still starting" if starting else "no running `ekiben up`"),
        attempt="again in a moment" if starting else "`ekiben up` in another terminal, or -b HOST:PORT",
    )
