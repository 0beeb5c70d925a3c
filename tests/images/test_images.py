"""The images of the services, on real Kafka: non-root, read-only, and yet all that is asked of them works.

A model that was trained outside is packaged and served by the deployer's container, asked by the
gateway's and answered for by the synthesizer's.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.system import System
from e2e.waiting import until
from ekiben_bus.brokers.ladder import Broker
from images.containers import Running, running

pytestmark = pytest.mark.images

MODEL = "tiny-keen"
FEATURES = ("-f", "x=2.0", "-f", "y=0.0")
SERVICES = ("deployer", "inference-gateway", "inference-gateway-shadow", "synthesizer")
SHADOW = ["python", "-m", "ekiben_inference_gateway.shadow"]


@dataclass(frozen=True)
class Contained:
    """Every service in a container, and the command line of somebody outside."""

    services: Mapping[str, Running]
    outside: System


class Outside(System):
    """The command line and the training, for a system that runs in containers."""

    def _connected(self) -> dict[str, str]:
        return self.environment


@pytest.fixture(scope="module")
def contained(kafka: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contained]:
    """All of them, and a model that they have deployed."""
    home = tmp_path_factory.mktemp("images") / "home"
    home.mkdir()
    named = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "EKIBEN_TOPIC_PREFIX": f"images-{secrets.token_hex(4)}.",
    }
    outside = Outside(home, named)
    applied = outside.ekiben("topics", "apply")
    assert applied.returncode == 0, applied
    outside.train(MODEL)
    open_to_all(home)
    with ExitStack() as stack:
        started = {
            "deployer": running("deployer", {**named, "EKIBEN_HOME": str(home)}, home=home),
            "inference-gateway": running("inference-gateway", named),
            "inference-gateway-shadow": running("inference-gateway", named, command=SHADOW),
            "synthesizer": running("synthesizer", named),
        }
        system = Contained({name: stack.enter_context(each) for name, each in started.items()}, outside)
        deployed = outside.ekiben("deploy", MODEL, "1")
        assert deployed.returncode == 0, (deployed, system.services["deployer"].said)
        yield system


def open_to_all(folder: Path) -> None:
    """What was written by the user of the tests is for the user of the image, too."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)


def test_a_request_is_answered_by_containers_alone(
    contained: Contained,
) -> None:
    result = contained.outside.json("predict", MODEL, "e1", *FEATURES)
    assert (result["status"], result["label"]) == ("completed", "yes")
    assert [output["model"] for output in result["outputs"]] == [MODEL]


def test_a_request_for_an_unknown_model_gets_its_failed_result(contained: Contained) -> None:
    result = contained.outside.json("predict", "no-such-model", "e1", *FEATURES, exit_code=4)
    assert (result["status"], result["code"]) == ("failed", "unknown_model")


@pytest.mark.parametrize("service", SERVICES)
def test_its_own_health_check_finds_it_ready(contained: Contained, service: str) -> None:
    until(lambda: contained.services[service].health == "healthy", f"{service} to be healthy", 30)


@pytest.mark.parametrize("service", SERVICES)
def test_it_has_no_rights_and_nowhere_to_write(contained: Contained, service: str) -> None:
    inside = contained.services[service]
    told = inside.json("[__import__('os').getuid(), open('/proc/1/status').read()]")
    rights = dict(line.split(":\t", 1) for line in told[1].splitlines())
    assert told[0] == 10001
    assert rights["NoNewPrivs"] == "1"
    assert {rights[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd")} == {"0" * 16}
    for place in ("/", "/opt/ekiben", "/usr/local", "/etc"):
        refused = inside.container.exec_run(["python", "-c", f"open('{place}/x', 'w')"], user="0")
        assert refused.exit_code != 0
        assert "Read-only file system" in refused.output.decode()


@pytest.mark.parametrize("service", SERVICES)
def test_its_sbom_is_what_is_installed_and_the_labels_say_where_it_is(
    contained: Contained, service: str
) -> None:
    inside = contained.services[service]
    labels = inside.container.labels
    assert labels["org.opencontainers.image.revision"]
    bom = json.loads(inside.python(f"print(open('{labels['ekiben.sbom']}').read())"))
    assert labels["org.opencontainers.image.version"] == bom["metadata"]["component"]["version"]
    parts = [bom["metadata"]["component"], *bom["components"]]
    listed = {(part["name"].lower().replace("_", "-"), part["version"]) for part in parts}
    found = inside.json(
        "[(d.name, d.version) for d in __import__('importlib.metadata').metadata.distributions()]"
    )
    installed = {(name.lower().replace("_", "-").replace(".", "-"), version) for name, version in found}
    assert len(listed) > 20
    assert listed == installed


# the last of this file: it ends what the others ask
@pytest.mark.parametrize("service", SERVICES)
def test_its_stop_signal_drains_it(contained: Contained, service: str) -> None:
    stopped = contained.services[service]
    assert stopped.drain() == 0, stopped.said
    assert "draining" in stopped.said
