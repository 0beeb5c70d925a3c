"""How a Bento is started as a child process. Pure but for wait_ready; starting it is the caller's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ekiben_mlops.settings import MlopsSettings


@dataclass(frozen=True, slots=True)
class ServeCommand:
    """What to run, with the whole environment of the child.

    Start it in a session of its own and signal the process group: `bentoml serve` is a supervisor
    with one worker below it, and a SIGKILL to the supervisor alone leaves the worker on the port.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    url: str


def serve_command(
    bento_tag: str, port: int, settings: MlopsSettings, *, environ: Mapping[str, str], host: str = "127.0.0.1"
) -> ServeCommand:
    """`bentoml serve TAG` on one port: one worker, one thread a computation, no access log, no phone-home."""
    raise NotImplementedError


async def wait_ready(url: str, *, timeout_s: float = 60.0) -> None:
    """Return once the endpoint answers /readyz with 200.

    Raises:
        TimeoutError: it did not within timeout_s; what it answered last is in the message.
    """
    raise NotImplementedError
