"""`ekiben demo --secure`, small: all accounted for, its rate beside the plain one, strangers refused, no
secret told. Strangers are clients that have no Ekiben in them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from e2e.system import System
from e2e.waiting import until

REQUESTS = 1_000
SERVICES = ("inference-gateway", "inference-gateway-shadow", "synthesizer", "deployer")


def test_the_demo_runs_with_tls_logins_and_acls(tmp_path):
    report = tmp_path / "report.json"
    system = System(tmp_path / "home", {"EKIBEN_BROKER": "embedded"})
    asked = ("demo", "--secure", "--requests", str(REQUESTS), "--paced", "1", "--json", str(report))
    try:
        with ThreadPoolExecutor(1) as terminal:
            demo = terminal.submit(system.ekiben, *asked)
            until(lambda: demo.done() or serves_securely(system), "the secured system to serve a model")
            assert not demo.done(), demo.result()
            look_at(system)
            ended = demo.result()
        assert ended.returncode == 0, ended
        assert system.processes() == []
    finally:
        system.kill_all()
    found = json.loads(report.read_text())
    assert (found["lost"], found["secure"]["plain_lost"]) == (0, 0)
    assert found["completed"] >= REQUESTS
    ratio = found["requests_per_second"] / found["secure"]["plain_requests_per_second"]
    assert found["secure"]["secure_to_plain"] == pytest.approx(ratio, rel=0.01)
    assert "secure / plain" in ended.stdout
    assert not [name for name, secret in secrets(system).items() if secret in ended.stdout + ended.stderr]
    nowhere(secrets(system), tmp_path)


def look_at(system: System) -> None:
    """While it runs: who is refused, and who knows what."""
    passwords = secrets(system)
    servers = system.running()["bootstrap_servers"]
    with pytest.raises(KafkaException):
        AdminClient({"bootstrap.servers": servers, "log_level": 0}).list_topics(timeout=3)
    assert refused(login(system, "synthesizer"), "ekiben.prediction-requests")
    assert refused(login(system, "users"), "ekiben.routes")
    assert not refused(login(system, "users"), "ekiben.prediction-outcomes")
    assert system.ekiben("routes").returncode == 0
    assert not [name for name, secret in passwords.items() if secret in str(system.running())]
    running = [(process.cmdline(), process.environ()) for process in system.processes()]
    assert not [command for command, _ in running for secret in passwords.values() if secret in str(command)]
    for service in SERVICES:
        known = psutil.Process(system.pid_of(service)).environ().values()
        assert [name for name, secret in passwords.items() if secret in known] == [service]
    models = [environ for _, environ in running if "EKIBEN_SERVING_CHILD" in environ]
    assert models
    assert not [name for name, secret in passwords.items() for each in models if secret in each.values()]


def serves_securely(system: System) -> bool:
    """Whether the second of the two systems, which is the secured one, has started a model server."""
    try:
        is_secure = system.running()["secure"] and len(system.running()["services"]) == len(SERVICES)
        return is_secure and any("EKIBEN_SERVING_CHILD" in each.environ() for each in system.processes())
    except (FileNotFoundError, psutil.Error):
        return False


def secrets(system: System) -> Mapping[str, str]:
    """Every password in the home, by whose it is."""
    found = {file.stem: file.read_text() for file in (system.home / "secrets").glob("*.password")}
    assert {*SERVICES, "users", "operators", "trainer", "admin"} == found.keys()
    assert {oct(file.stat().st_mode)[-3:] for file in (system.home / "secrets").glob("*.password")} == {"600"}
    assert oct((system.home / "secrets").stat().st_mode)[-3:] == "700"
    return found


def login(system: System, role: str) -> dict[str, object]:
    """As librdkafka is told it."""
    return {
        "bootstrap.servers": system.running()["bootstrap_servers"],
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": role,
        "sasl.password": secrets(system)[role],
        "ssl.ca.location": str(system.home / "secrets" / "tls" / "ca.pem"),
        "log_level": 0,
    }


def refused(who: Mapping[str, object], topic: str) -> bool:
    """Whether a record for the topic is refused for want of a right."""
    outcomes: list[KafkaError | None] = []
    producer = Producer(dict(who))
    producer.produce(topic, b"{}", b"key", on_delivery=lambda error, _: outcomes.append(error))
    assert producer.flush(20) == 0
    (error,) = outcomes
    assert error is None or error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED, error
    return error is not None


def nowhere(passwords: Mapping[str, str], folder: Path) -> None:
    """No file outside of the secrets holds one: no log, no data of the broker, no report."""
    search = ["grep", "-rlF", "--exclude-dir=secrets", *(f"-e{each}" for each in passwords.values()), folder]
    found = subprocess.run(search, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (1, "")
