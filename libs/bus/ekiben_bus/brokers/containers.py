"""The rung of those who have Docker: Kafka in a container, by testcontainers.

Takes the public apache/kafka image, or any other whose entry point lies at the same path and reads the
same KAFKA_* variables, as the one of `deploy/docker/kafka` does. The KafkaContainer that comes with
testcontainers knows the layout of another vendor's image only.
"""

from __future__ import annotations

import time
from typing import Self

from docker.errors import DockerException, ImageNotFound
from testcontainers.core.config import ConnectionMode, testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from ekiben_bus.brokers.diagnosis import advice
from ekiben_bus.brokers.errors import BrokerStartError
from ekiben_bus.brokers.probe import alive_brokers
from ekiben_bus.brokers.properties import cluster_properties

_ENTRY_POINT = "/etc/kafka/docker/run"
_START = "/tmp/start-kafka"  # noqa: S108 - inside the container, which is ours alone
_DATA = "/var/lib/kafka/data"
_CLUSTER_ID = "ZWtpYmVuLWNvbnRhaW5lcg"
_PORT = 9092
_LOOPBACK = "127.0.0.1"
_ENGINE_ANSWERS_WITHIN_S = 2
_STOPS_WITHIN_S = 10
_POLL_S = 0.05
_LAST_LINES = 20


def why_not(image: str, *, pulling: bool = False) -> str | None:
    """Why no container of this image can start; None if one can.

    Unless `pulling` is welcome, an image that is not here counts as a reason: to pull it takes
    minutes, or hangs on a closed network.
    """
    try:
        engine = DockerClient(timeout=_ENGINE_ANSWERS_WITHIN_S).client
    except DockerException as error:
        return f"no Docker engine answers ({_first_line(error)})"
    try:
        if not pulling:
            engine.images.get(image)
    except ImageNotFound:
        return f"image {image} is not on this machine; to use it: docker pull {image}"
    except (DockerException, OSError) as error:  # an OSError: it took too long
        return f"Docker does not answer about image {image} ({_first_line(error)})"
    finally:
        engine.close()
    return None


class ContainerKafka(DockerContainer):
    """A combined KRaft node in a container, at a random port of the host.

    Args:
        image: as Docker names it.
        volume: the name of a volume that keeps its data; without one they go with the container.
        start_timeout_s: how long it may take until it answers.
    """

    def __init__(self, image: str, *, volume: str | None = None, start_timeout_s: float = 60.0) -> None:
        super().__init__(image, entrypoint=["sh", "-c"])
        self._start_timeout_s = start_timeout_s
        # a random port of the host; where Docker is this machine, for nobody outside of it
        self.with_exposed_ports(_PORT)
        if self._is_reached_by_loopback():
            self.ports[str(_PORT)] = (_LOOPBACK,)  # pyright: ignore[reportArgumentType] - docker-py takes it
        # a list: docker-py splits a text as a shell would
        self.with_command([f"until [ -s {_START} ]; do sleep 0.05; done; exec sh {_START}"])
        self.with_envs(**container_environment())
        if volume is not None:
            self.with_volume_mapping(volume, _DATA, "rw")

    @property
    def bootstrap_servers(self) -> str:
        """Where clients on the host connect, once it was started."""
        host = _LOOPBACK if self._is_reached_by_loopback() else self.get_container_host_ip()
        return f"{host}:{self.get_exposed_port(_PORT)}"

    def start(self) -> Self:
        """Start and wait until it answers. An image that is missing is pulled.

        The port on the host is known only now, and Kafka has to tell it to its clients: so the
        container waits for a script, and this puts it there.

        Raises:
            BrokerStartError: Docker refuses, or Kafka does not answer in time; the container is gone.
        """
        _keep_no_reaper_that_must_be_pulled()
        try:
            super().start()
            address = self.bootstrap_servers
            advertised = f"PLAINTEXT://{address},BROKER://localhost:9094"
            script = f"export KAFKA_ADVERTISED_LISTENERS={advertised}\nexec {_ENTRY_POINT}\n"
            self.copy_into_container(script.encode(), _START, 0o755)
            self._wait_until_it_answers(address)
        except DockerException as error:
            self.stop()
            raise BrokerStartError(
                f"expected Docker to run {self.image}, found: {_first_line(error)}. "
                f"Try: docker pull {self.image}, or EKIBEN_BROKER=embedded"
            ) from error
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self, force: bool = True, delete_volume: bool = True) -> None:
        """End it politely, so that kept data need no recovery, and remove the container."""
        if self._container is not None:
            self._container.stop(timeout=_STOPS_WITHIN_S)
        super().stop(force, delete_volume)
        self._container = None

    def _is_reached_by_loopback(self) -> bool:
        engine = self.get_docker_client()
        by_host = engine.get_connection_mode() is ConnectionMode.docker_host
        return by_host and engine.host() in {"localhost", _LOOPBACK}

    def _wait_until_it_answers(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        deadline = time.monotonic() + self._start_timeout_s
        while not alive_brokers(host, int(port)):
            self.reload()
            if self.status != "running":
                raise self._start_error(address, f"its container is {self.status}")
            if time.monotonic() > deadline:
                raise self._start_error(address, f"no answer within {self._start_timeout_s:g} s")
            time.sleep(_POLL_S)

    def _start_error(self, address: str, found: str) -> BrokerStartError:
        said = b"".join(self.get_logs()).decode("utf-8", "replace").splitlines()[-_LAST_LINES:]
        return BrokerStartError(
            f"expected Kafka of {self.image} to answer at {address}, found: {found}. "
            f"Try: {advice(said)}.\nThe end of its log:\n" + "\n".join(f"  {line}" for line in said)
        )


def container_environment() -> dict[str, str]:
    """The variables of a lone node whose clients connect from outside; it calls itself by BROKER."""
    node = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "listeners": f"PLAINTEXT://:{_PORT},BROKER://localhost:9094,CONTROLLER://localhost:9093",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "BROKER",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": "1@localhost:9093",
        "log.dirs": _DATA,
        **cluster_properties(1),
    }
    variables = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in node.items()}
    return {"CLUSTER_ID": _CLUSTER_ID, "KAFKA_HEAP_OPTS": "-Xmx512m", **variables}


def _keep_no_reaper_that_must_be_pulled() -> None:
    """testcontainers starts a second container that removes ours if we die; not at the price of a pull."""
    if testcontainers_config.ryuk_disabled:
        return
    if why_not(testcontainers_config.ryuk_image) is not None:
        testcontainers_config.ryuk_disabled = True


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
