"""Services as processes of their own, as in production, for as long as a test lasts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from e2e.waiting import until
from ekiben_bus.brokers.ports import free_port

_DRAINED_WITHIN_S = 60


@contextmanager
def serving(environment: Mapping[str, str], logs: Path, *modules: str) -> Iterator[None]:
    """Run modules such as ekiben_synthesizer, each ready before the block and drained after it."""
    with ExitStack() as stack:
        ports = [stack.enter_context(_one(environment, logs, module)) for module in modules]
        until(lambda: all(map(_is_ready, ports)), f"{' and '.join(modules)} to get ready; see {logs}")
        yield


@contextmanager
def _one(environment: Mapping[str, str], logs: Path, module: str) -> Iterator[int]:
    port = free_port()
    env = {**os.environ, **environment, "EKIBEN_HEALTH_PORT": str(port)}
    with (logs / f"{module}.log").open("wb") as log:
        child = subprocess.Popen([sys.executable, "-m", module], env=env, stdout=log, stderr=log)
    try:
        yield port
    finally:
        child.terminate()
        assert child.wait(_DRAINED_WITHIN_S) == 0


def _is_ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
