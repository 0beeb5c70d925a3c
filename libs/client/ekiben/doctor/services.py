"""What runs beside Kafka: the services of a local `ekiben up`, and the model registry."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from ekiben.doctor.check import Check, fail, ok, skipped
from ekiben.local.home import Home
from ekiben.local.readiness import unready
from ekiben.local.running import Running

_REGISTRY = "mlflow"
_PATIENCE_S = 5.0


async def services(running: Running | None, home: Home) -> list[Check]:
    """Whether each service of the running `up` is ready."""
    if running is None:
        return [skipped("services", f"no `ekiben up` runs in {home.path}")]
    checks: list[Check] = []
    for name, service in running.services.items():
        trouble = await unready(service.health_port)
        if trouble is None:
            checks.append(ok(name, f"ready, pid {service.pid}"))
        else:
            checks.append(fail(name, trouble, f"its log: {home.log_of(name)}"))
    return checks


async def registry(home: Home) -> Check:
    """Whether the model registry can be reached."""
    address = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home.mlflow}"
    scheme = urlsplit(address).scheme
    if scheme == "sqlite":
        return await asyncio.to_thread(_sqlite, address.removeprefix("sqlite:///"))
    if scheme in ("http", "https"):
        return await asyncio.to_thread(_server, address)
    return skipped(_REGISTRY, f"how to look at a registry of the kind {scheme or 'file'} is not known")


def _sqlite(path: str) -> Check:
    if not Path(path).exists():
        return ok(_REGISTRY, f"none yet; the first model makes it, in {path}")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=_PATIENCE_S)) as database:
            (models,) = database.execute("SELECT count(*) FROM registered_models").fetchone()
    except sqlite3.Error as error:
        return fail(_REGISTRY, f"{path}: {error}", "remove it, or name another by MLFLOW_TRACKING_URI")
    return ok(_REGISTRY, f"{models} registered models in {path}")


def _server(address: str) -> Check:
    shown = urlsplit(address)._replace(netloc=urlsplit(address).hostname or "").geturl()
    try:
        with urlopen(f"{address.rstrip('/')}/health", timeout=_PATIENCE_S):  # noqa: S310 - http or https, see above
            return ok(_REGISTRY, f"answers at {shown}")
    except (URLError, OSError) as error:
        return fail(_REGISTRY, f"{shown}: {error}", "start it, or name another by MLFLOW_TRACKING_URI")
