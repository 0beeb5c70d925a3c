"""Child processes of a run: started with a log, asked to end, ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

POLL_S = 0.05
_ROOT = str(Path(__file__).parents[1])


class Ended(Exception):  # noqa: N818 - the field's word
    """A process that had to run on has ended; the message has the end of its log."""


def python(module: str, *arguments: str, samples: Path | None = None) -> list[str]:
    """The command that runs a module; with `samples`, writing there where its CPU time went."""
    sampled = () if samples is None else ("benchmarks.sampling", str(samples))
    return [sys.executable, "-m", *sampled, module, *arguments]


@contextmanager
def running(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs for as long as the block."""
    path = os.pathsep.join([_ROOT, *filter(None, [os.environ.get("PYTHONPATH")])])
    with log.open("ab") as out:
        child = subprocess.Popen(  # noqa: S603 - our own commands
            command, stdout=out, stderr=out, env={**os.environ, "PYTHONPATH": path, **(environment or {})}
        )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def http_ok(port: int, path: str) -> bool:
    """Whether somebody on this machine answers 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)  # knows no proxies
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def wait_until(
    is_so: Callable[[], bool], what: str, child: subprocess.Popen[bytes], log: Path, within_s: float = 120.0
) -> None:
    """Look until it is so.

    Raises:
        Ended: the child has ended instead, or it took too long.
    """
    end = time.monotonic() + within_s
    while not is_so():
        if child.poll() is not None or time.monotonic() > end:
            last = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            why = "ran out of time" if child.poll() is None else f"exit code {child.poll()}"
            raise Ended(f"expected {what}, found: {why}. Its log ends in:\n{last}")
        time.sleep(POLL_S)
