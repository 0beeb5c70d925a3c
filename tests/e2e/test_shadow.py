"""A version deployed as a shadow, in a whole `ekiben up`: asked beside the one that serves."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.plain_client import PlainClient
from e2e.system import System, running
from e2e.waiting import until
from ekiben_bus.brokers.ladder import Broker

MODEL = "tiny-mild"


@pytest.fixture
def system(kafka: Broker, tmp_path: Path) -> Iterator[System]:
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "EKIBEN_TOPIC_PREFIX": f"shadow-{secrets.token_hex(4)}.",
    }
    with running(tmp_path / "home", environment) as system:
        system.train(MODEL, MODEL)
        yield system


def test_a_shadow_answers_beside_the_champion_until_it_takes_over(system: System, fresh: str):
    assert system.ekiben("deploy", MODEL, "1").returncode == 0
    assert "inference-gateway-shadow" in system.running()["services"]
    refused = system.ekiben("deploy", MODEL, "1", "--strategy", "shadow")
    assert (refused.returncode, "expected another version" in refused.stdout) == (4, True)
    deployed = system.ekiben("deploy", MODEL, "2", "--strategy", "shadow")
    assert deployed.returncode == 0, deployed
    (route,) = system.json("routes")["models"]
    assert [(v["version"], v["role"], v["weight"]) for v in route["versions"]] == [
        ("1", "champion", 10_000),
        ("2", "shadow", 0),
    ]

    plain = PlainClient(
        system.environment["KAFKA_BOOTSTRAP_SERVERS"], system.environment["EKIBEN_TOPIC_PREFIX"]
    )
    plain.send({"request_id": fresh, "model": MODEL, "entity_id": "e1", "features": {"x": 2.0, "y": 0.0}})
    result = plain.result(fresh)
    assert [output["version"] for output in result["outputs"]] == ["1"]
    (told,) = plain.shadowed([fresh])[fresh]
    assert dict(told.headers())["ce_id"] == f"{fresh}/shadow-2/1".encode()
    shadowed = json.loads(told.value())
    assert (shadowed["status"], shadowed["champion"]["version"], shadowed["shadow"]["version"]) == (
        "answered",
        "1",
        "2",
    )
    assert shadowed["shadow"]["value"] == result["prediction"], "both were trained alike"
    assert shadowed["difference"] == 0.0

    def requests_of_the_shadow() -> int:
        (seen,) = system.json("routes")["models"]
        health = next(version["health"] for version in seen["versions"] if version["version"] == "2")
        return 0 if health is None else health["requests"]  # it is told once a window

    until(lambda: requests_of_the_shadow() == 1, "the shadow's own endpoint health")
    assert system.ekiben("retire", MODEL, "2", "--reason", "to begin anew").returncode == 0
    (route,) = system.json("routes")["models"]
    assert [(v["version"], v["role"]) for v in route["versions"]] == [("1", "champion")]
    assert system.ekiben("deploy", MODEL, "2", "--strategy", "shadow").returncode == 0
    assert system.ekiben("deploy", MODEL, "2").returncode == 0
    (route,) = system.json("routes")["models"]
    assert [(v["version"], v["role"]) for v in route["versions"]] == [("2", "champion"), ("1", "retired")]
