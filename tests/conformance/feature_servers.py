"""Servers for online stores beside SQLite: an address from the environment, or a server of this machine.

EKIBEN_TEST_REDIS=host:port, EKIBEN_TEST_POSTGRES=host:port (user and database postgres, no password).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

READY_S = 30.0
SQLITE = "sqlite"
REDIS = shutil.which("redis-server")
POSTGRES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@contextmanager
def redis() -> Iterator[str]:
    """A Redis, as host:port."""
    if given := os.environ.get("EKIBEN_TEST_REDIS"):
        yield given
        return
    port = _free_port()
    command = [str(REDIS), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with _running(command, port, None):
        yield f"127.0.0.1:{port}"


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL, as host:port."""
    if given := os.environ.get("EKIBEN_TEST_POSTGRES"):
        yield given
        return
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to be root
    with tempfile.TemporaryDirectory() as folder:
        if user:
            shutil.chown(folder, user)
        initdb = [f"{POSTGRES}/initdb", "-D", f"{folder}/data", "-U", "postgres", "-A", "trust", "--no-sync"]
        subprocess.run(initdb, check=True, capture_output=True, user=user, cwd=folder)
        port = _free_port()
        command = [f"{POSTGRES}/postgres", "-D", f"{folder}/data", "-p", str(port), "-k", folder, "-F"]
        with _running(command, port, user):
            yield f"127.0.0.1:{port}"


def servers() -> Mapping[str, Callable[[], AbstractContextManager[str]]]:
    """Those that can be had here."""
    has_redis = REDIS or os.environ.get("EKIBEN_TEST_REDIS")
    has_postgres = POSTGRES or os.environ.get("EKIBEN_TEST_POSTGRES")
    return {**({"redis": redis} if has_redis else {}), **({"postgres": postgres} if has_postgres else {})}


def online_store(kind: str, address: str) -> str:
    """The online_store of a feature_store.yaml."""
    if kind == SQLITE:
        return "{type: sqlite, path: online.db}"
    if kind == "redis":
        return f"{{type: redis, connection_string: '{address}'}}"
    host, _, port = address.partition(":")
    return (
        f"{{type: postgres, host: {host}, port: {port}, database: postgres, db_schema: public, "
        "user: postgres, password: unused, sslmode: disable}"
    )


@contextmanager
def _running(command: list[str], port: int, user: str | None) -> Iterator[None]:
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user, cwd="/"
    )
    try:
        deadline = time.monotonic() + READY_S
        while not _listens(port):
            assert server.poll() is None, f"{command[0]} ended"
            assert time.monotonic() < deadline, f"{command[0]} does not listen"
            time.sleep(0.02)
        yield
    finally:
        server.terminate()
        server.wait(READY_S)


def _listens(port: int) -> bool:
    with socket.socket() as trying:
        return trying.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
