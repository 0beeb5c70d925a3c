"""One system for the suite, on the broker that the ladder finds, with two tiny models and an ensemble."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from e2e.plain_client import PlainClient
from e2e.system import System, running
from ekiben_bus.brokers.ladder import Broker
from ekiben_bus.brokers.ports import free_port

ENSEMBLE = "tiny"
MEMBERS = ("tiny-mild", "tiny-keen")


@pytest.fixture(scope="session")
def system(kafka: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """An `ekiben up` that has deployed everything."""
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "EKIBEN_TOPIC_PREFIX": f"e2e-{secrets.token_hex(4)}.",
        "EKIBEN_HTTP_PORT": str(free_port()),
    }
    with running(tmp_path_factory.mktemp("e2e") / "home", environment) as system:
        system.train(*MEMBERS)
        with ThreadPoolExecutor() as terminals:
            for deployed in terminals.map(lambda member: system.ekiben("deploy", member, "1"), MEMBERS):
                assert deployed.returncode == 0, deployed
        defined = system.ekiben("ensembles", "define", ENSEMBLE, *MEMBERS)
        assert defined.returncode == 0, defined
        yield system


@pytest.fixture(scope="session")
def plain(system: System) -> PlainClient:
    """A client that knows nothing of Ekiben."""
    environment = system.environment
    return PlainClient(environment["KAFKA_BOOTSTRAP_SERVERS"], environment["EKIBEN_TOPIC_PREFIX"])


@pytest.fixture
def fresh() -> str:
    """An id that was never used before."""
    return secrets.token_hex(8)
