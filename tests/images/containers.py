"""A service in a container, locked down: of the host it has the network and, if need be, one folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
from docker.errors import ImageNotFound
from docker.models.containers import Container

from ekiben_bus.brokers.ports import free_port

TAG = os.environ.get("EKIBEN_IMAGES_TAG", "latest")
SECOND_NS = 1_000_000_000
DRAINED_WITHIN_S = 40


class Running:
    """One container, and what can be asked of it."""

    def __init__(self, container: Container) -> None:
        self.container = container

    def python(self, code: str) -> str:
        """What a few lines print, run inside as the image's own user."""
        ran = self.container.exec_run(["python", "-c", code])
        assert ran.exit_code == 0, ran.output.decode()
        return ran.output.decode()

    def json(self, code: str) -> Any:
        return json.loads(self.python(f"import json; print(json.dumps({code}))"))

    @property
    def health(self) -> str:
        """What Docker makes of the image's own health check."""
        self.container.reload()
        assert self.container.status == "running", self.said
        return self.container.attrs["State"]["Health"]["Status"]

    @property
    def said(self) -> str:
        return self.container.logs().decode()

    def drain(self) -> int:
        """Send the image's stop signal; the exit code. Docker kills it after a while, with another."""
        self.container.stop(timeout=DRAINED_WITHIN_S)
        return self.container.wait()["StatusCode"]


@contextmanager
def running(
    service: str,
    environment: Mapping[str, str],
    *,
    command: list[str] | None = None,
    home: Path | None = None,
) -> Iterator[Running]:
    """Start it; it is gone at the end, whatever happens."""
    engine = docker.from_env()
    image = f"ekiben/{service}:{TAG}"
    try:
        container = engine.containers.run(
            image,
            command,
            detach=True,
            init=True,
            read_only=True,
            tmpfs={"/tmp": ""},  # noqa: S108 - the container's own
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            network_mode="host",
            environment={**environment, "EKIBEN_HEALTH_PORT": str(free_port())},
            volumes=[f"{home}:{home}"] if home else [],
            healthcheck={"interval": SECOND_NS},
        )
    except ImageNotFound as error:
        raise AssertionError(f"expected the image {image}, found none; try: make images") from error
    try:
        yield Running(container)
    finally:
        container.remove(force=True, v=True)
        engine.close()
