"""A BentoML service of somebody's own, served over Kafka with no deployer: the commands of the docs, run."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from e2e.plain_client import PlainClient
from e2e.waiting import until
from ekiben_bus.brokers.ladder import Broker
from ekiben_bus.brokers.ports import free_port

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "own-bento.md"
ENDPOINTS = "examples/own_bento/model_endpoints.yaml"
MODEL = "flat-price"


class OwnBento:
    """The page's commands, on the session's Kafka and a free port: what ends in & runs until the end."""

    def __init__(self, kafka: Broker, home: Path) -> None:
        self.bento_port = free_port()
        self.prefix = f"own-{secrets.token_hex(4)}."
        self.log = home / "said.log"
        endpoints = home / "model_endpoints.yaml"
        endpoints.write_text((ROOT / ENDPOINTS).read_text().replace("3001", str(self.bento_port)))
        self._instead = {
            ".venv/bin/": f"{Path(sys.executable).parent}/",
            "127.0.0.1:9092": kafka.bootstrap_servers,
            "3001": str(self.bento_port),
            ENDPOINTS: str(endpoints),
        }
        self._environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "EKIBEN_TOPIC_PREFIX": self.prefix,
            "EKIBEN_HOME": str(home),
            "BENTOML_HOME": str(home / "bentoml"),
            "BENTOML_DO_NOT_TRACK": "True",
        }
        self._children: list[subprocess.Popen[bytes]] = []

    def commands(self) -> list[str]:
        """Those of the page, but for its Kafka."""
        (block,) = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
        broker, *lines = block.splitlines()
        assert "brokers.embedded" in broker
        assert lines
        for words, instead in self._instead.items():
            lines = [line.replace(words, instead) for line in lines]
        return [line for line in lines if not line.startswith("export")]

    def run(self) -> dict[str, object]:
        """Every command in its order; what the last one prints."""
        said = ""
        for line in self.commands():
            if line.endswith(" &"):
                with self.log.open("ab") as log:
                    command = f"exec env {line.removesuffix(' &')}"
                    child = subprocess.Popen(
                        ["sh", "-c", command], cwd=ROOT, env=self._environment, stdout=log, stderr=log
                    )
                self._children.append(child)
                if "bentoml serve" in line:
                    until(self._bento_answers, "the service to answer")
            else:
                said = subprocess.run(
                    ["sh", "-c", line],
                    cwd=ROOT,
                    env=self._environment,
                    capture_output=True,
                    check=True,
                    timeout=60,
                ).stdout.decode()
        return json.loads(said)

    def _bento_answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.bento_port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """End what was started, and what that started."""
        processes = [psutil.Process(child.pid) for child in self._children if child.poll() is None]
        below = [grandchild for process in processes for grandchild in process.children(recursive=True)]
        for process in processes:
            process.terminate()
        for child in self._children:
            child.wait(60)
        _, alive = psutil.wait_procs(below, 10)
        for process in alive:
            process.kill()


@contextmanager
def own_bento(kafka: Broker, home: Path) -> Iterator[OwnBento]:
    found = OwnBento(kafka, home)
    try:
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="module")
def predicted(kafka: Broker, tmp_path_factory: pytest.TempPathFactory):
    """The system of the page, and the prediction that its last command printed."""
    with own_bento(kafka, tmp_path_factory.mktemp("own")) as found:
        yield found, found.run()


@pytest.fixture
def plain(predicted, kafka: Broker) -> PlainClient:
    return PlainClient(kafka.bootstrap_servers, predicted[0].prefix)


def ask(plain: PlainClient, name: str, **features: object) -> None:
    plain.send({"request_id": name, "model": MODEL, "entity_id": name, "features": features})


def test_the_commands_of_the_page_end_in_a_prediction(predicted):
    _, result = predicted
    assert (result["status"], result["model"]) == ("completed", MODEL)
    assert result["prediction"] == pytest.approx(4_000 * 70 + 20_000 * 70 / 3)


def test_a_row_that_fails_the_whole_body_costs_no_other(predicted, plain):
    good, bad = {f"flat-{number}" for number in range(199)}, "no-rooms-at-all"
    asked = [*sorted(good), bad]
    plain.send_many(  # of one entity, so in one batch of one partition
        {
            "request_id": name,
            "model": MODEL,
            "entity_id": "house-1",
            "features": {"area": 50.0, "rooms": 0 if name == bad else 2},
        }
        for name in asked[100:] + asked[:100]
    )
    results = {name: json.loads(found[0].value()) for name, found in plain.results(asked).items()}
    told = results.pop(bad)
    assert {result["prediction"] for result in results.values()} == {700_000.0}
    assert (told["code"], told["dead_letter"] is None) == ("internal", False)
    assert "this one fails also by itself" in told["message"]


def test_what_breaks_the_signature_of_the_file_is_told_before_it_is_sent(plain):
    ask(plain, "no-rooms", area=50.0)
    ask(plain, "half-a-room", area=50.0, rooms=2.5)
    assert plain.result("no-rooms")["code"] == "missing_features"
    wrong = plain.result("half-a-room")
    assert (wrong["code"], "rooms: expected an integer" in wrong["message"]) == ("invalid_request", True)
