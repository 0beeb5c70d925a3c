"""How a Bento is started as a child process. Pure but for wait_ready; starting it is the caller's."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from ekiben_mlops.quiet import NO_PHONE_HOME
from ekiben_mlops.settings import MlopsSettings

ONE_THREAD: Final[Mapping[str, str]] = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}
"""Models side by side on few cores: more threads each only make them wait for one another."""
_POLL_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class ServeCommand:
    """What to run, with the whole environment of the child, and where it will listen.

    `bentoml serve` is a supervisor with one worker below it, in a session of its own: a signal to the
    process group does not reach it. SIGTERM to the supervisor ends both; after a SIGKILL the worker ends
    by itself within a second, and until then it holds the port.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    url: str


def bento_path(bento_tag: str, settings: MlopsSettings) -> Path:
    """Where a Bento lies in the store."""
    name, _, version = bento_tag.partition(":")
    return settings.bentoml_home / "bentos" / name / version


def serve_command(
    bento_tag: str, port: int, settings: MlopsSettings, *, environ: Mapping[str, str], host: str = "127.0.0.1"
) -> ServeCommand:
    """`bentoml serve` of one Bento on one port: one worker, one thread a computation, no phone-home.

    The Bento is named by its path, so that BENTOML_HOME can be one a port: `bentoml serve` empties
    the Prometheus directory below it on its start, also under another server that uses it.
    """
    argv = (
        *(sys.executable, "-m", "bentoml", "serve", str(bento_path(bento_tag, settings))),
        *("--host", host, "--port", str(port)),
    )
    own_home = settings.bentoml_home / "serving" / str(port)
    env = {**environ, **NO_PHONE_HOME, **ONE_THREAD, "BENTOML_HOME": str(own_home), "PYTHONUNBUFFERED": "1"}
    return ServeCommand(argv, env, f"http://{host}:{port}")


async def wait_ready(url: str, *, timeout_s: float = 60.0) -> None:
    """Return once the endpoint answers /readyz with 200.

    Raises:
        TimeoutError: it did not within timeout_s; what it answered last is in the message.
    """
    found = "no answer"
    try:
        async with asyncio.timeout(timeout_s), httpx.AsyncClient(trust_env=False, timeout=2.0) as http:
            while True:
                try:
                    response = await http.get(f"{url}/readyz")
                except httpx.TransportError as error:
                    found = f"{type(error).__name__}: {error}"
                else:
                    if response.is_success:
                        return
                    found = f"{response.status_code}: {response.text[:200]}"
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise TimeoutError(
            f"expected {url} to be ready within {timeout_s:g} s, found {found}. Its log says why."
        ) from None
