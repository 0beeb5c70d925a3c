"""wrk as a child process: so many connections, each with its next request once it is answered."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

_SCRIPT: Final = Path(__file__).with_name("post.lua")
_TIMEOUT_S: Final = 10
_ENDS_WITHIN_S: Final = 60.0


class WrkMissingError(RuntimeError):
    """There is nothing to make the load with. Install wrk."""


class WrkFailedError(RuntimeError):
    """wrk ended without a result; the message has what it said."""


class Load(BaseModel):
    """What wrk saw: answers, how long they took, and what was refused (status above 399) or broken off."""

    model_config = ConfigDict(frozen=True)

    requests: int
    seconds: float
    refused: int
    broken: int
    p50_ms: float
    p95_ms: float
    p99_ms: float

    @property
    def requests_per_s(self) -> float:
        return self.requests / self.seconds

    @property
    def failed(self) -> int:
        """Requests without a proper answer."""
        return self.refused + self.broken


def find_wrk(path: str | None = None) -> str:
    """The wrk on the PATH, or on another one.

    Raises:
        WrkMissingError: there is none.
    """
    found = shutil.which("wrk", path=path)
    if found is None:
        raise WrkMissingError(
            "expected wrk on the PATH, found none; install it (Debian, Ubuntu: `sudo apt-get install wrk`, "
            "macOS: `brew install wrk`) and run this again"
        )
    return found


def write_bodies(file: Path, bodies: Sequence[bytes]) -> Path:
    """The bodies as post.lua reads them."""
    file.write_bytes(b"".join(b"%d\n%s" % (len(body), body) for body in bodies))
    return file


def put_load(
    wrk: str, url: str, bodies: Path, content_type: str, *, connections: int, seconds: float
) -> Load:
    """Ask for so many seconds, by one thread: the cores are those of the servers, too.

    Raises:
        WrkFailedError: it ended without a result.
    """
    command = [
        *(
            wrk,
            "--threads",
            "1",
            "--connections",
            str(connections),
            "--duration",
            f"{max(1, round(seconds))}s",
        ),
        *("--timeout", f"{_TIMEOUT_S}s", "--script", str(_SCRIPT), url, "--", str(bodies), content_type),
    ]
    done = subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, text=True, timeout=seconds + _ENDS_WITHIN_S, check=False
    )
    last = done.stdout.strip().rpartition("\n")[2]
    if done.returncode or not last.startswith("{"):
        raise WrkFailedError(
            f"expected a result of wrk, found exit code {done.returncode}: {done.stderr[-500:]}"
        )
    return Load.model_validate_json(last)
