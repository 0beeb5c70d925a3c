"""MLServer in a virtual environment of its own: what it needs does not go with what Ekiben needs."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from ekiben_bus.brokers.jars import cache_folder

_WITHIN_S = 900.0
_DONE = "complete"


class UnavailableError(Exception):
    """It cannot be had here, and why."""


def requirements() -> list[str]:
    """MLServer 1.7 with what it still works with, and the libraries of the pickled model as they are here."""
    return [
        "mlserver==1.7.*",
        "fastapi<0.116",
        "protobuf<7",
        "uvloop<0.22",  # its workers ask for an event loop as only the older ones gave it
        *(f"{name}=={version(name)}" for name in ("scikit-learn", "numpy", "scipy", "joblib")),
    ]


def mlserver() -> Path:
    """The command, installed into the cache folder on the first call.

    Raises:
        UnavailableError: it cannot be installed; most often there is no package index to ask.
    """
    wanted = requirements()
    digest = hashlib.sha256("\n".join([sys.version, *wanted]).encode()).hexdigest()[:12]
    home = cache_folder() / f"mlserver-1.7-{digest}"
    if not (home / _DONE).exists():
        print(f"installing MLServer into {home} (first time only)", flush=True)
        shutil.rmtree(home, ignore_errors=True)
        home.parent.mkdir(parents=True, exist_ok=True)
        for command in _commands(home, wanted):
            _run(command)
        (home / _DONE).touch()
    return home / "bin" / "mlserver"


def _commands(home: Path, wanted: list[str]) -> list[list[str]]:
    uv = Path(sys.executable).with_name("uv")
    interpreter = str(home / "bin" / "python")
    if uv.exists():
        return [
            [str(uv), "venv", "--quiet", "--python", sys.executable, str(home)],
            [str(uv), "pip", "install", "--quiet", "--python", interpreter, *wanted],
        ]
    return [
        [sys.executable, "-m", "venv", str(home)],
        [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted],
    ]


def _run(command: list[str]) -> None:
    environment = {"UV_SYSTEM_CERTS": "1", **os.environ}
    environment.pop("PYTHONPATH", None)
    try:
        done = subprocess.run(  # noqa: S603 - our own commands
            command, env=environment, capture_output=True, text=True, timeout=_WITHIN_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"MLServer was not installed within {_WITHIN_S:g} s") from error
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise UnavailableError(f"MLServer cannot be installed: {' '.join(last)[:200]}")
