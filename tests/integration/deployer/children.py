"""Small servers for the supervisor to run, and what is waited for in its tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil

from ekiben_deployer.supervisor.files import Child, Desired, Home
from ekiben_deployer.supervisor.stopping import find_supervisor

DEADLINE_S = 60.0

SERVER = """
import sys
from http.server import HTTPServer, BaseHTTPRequestHandler
import os
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(str(os.getpid()).encode())
    def log_message(self, *_): pass
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

PARENT = """
import subprocess, sys
sys.exit(subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1]], start_new_session=True).wait())
"""
"""Serves through a worker in a session of its own, as `bentoml serve` does."""

T = TypeVar("T")


def server(port: int) -> tuple[str, ...]:
    return (sys.executable, "-c", SERVER, str(port))


def server_with_a_worker(port: int) -> tuple[str, ...]:
    return (sys.executable, "-c", PARENT, str(port), SERVER)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(look: Callable[[], T | None], deadline_s: float = DEADLINE_S) -> T:
    """Look again and again until there is something; TimeoutError when nothing comes."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.02)
    raise TimeoutError(f"nothing found within {deadline_s} s")


def answering(port: int) -> int | None:
    """The pid of the server that answers on a port; None when none does."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as answer:
            return int(answer.read())
    except OSError:
        return None


def kill_hard(pid: int) -> None:
    """SIGKILL, and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    until(lambda: not runs(pid))


def runs(pid: int) -> bool:
    """Whether a process does anything; a zombie that its parent has not waited for does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Supervised:
    """A home with a supervisor, and what it runs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = Home(root)
        self.started: list[subprocess.Popen[bytes]] = []

    def want(self, name: str, command: tuple[str, ...], port: int) -> Desired:
        desired = Desired(name=name, command=command, port=port)
        self.home.desired.put(name, desired)
        return desired

    def child(self, name: str) -> Child | None:
        return self.home.children.read().get(name)

    def start(self) -> subprocess.Popen[bytes]:
        """Start a supervisor, and wait until it is the one."""
        with (self.root / "supervisor.out").open("ab") as output:
            started = subprocess.Popen(self.command(), stdout=output, stderr=output)
        self.started.append(started)
        until(lambda: (found := find_supervisor(self.home)) and found.pid == started.pid)
        return started

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "ekiben_deployer.supervisor", "--home", str(self.root), *arguments]

    def stop(self) -> None:
        subprocess.run(self.command("--stop"), check=True, timeout=DEADLINE_S, capture_output=True)

    def log(self) -> str:
        return (self.root / "supervisor.out").read_text()


@contextmanager
def supervised(root: Path) -> Iterator[Supervised]:
    """A home whose supervisors and children are all gone in the end."""
    root.mkdir(parents=True, exist_ok=True)
    found = Supervised(root)
    try:
        yield found
    finally:
        found.stop()
        for process in found.started:
            process.wait(DEADLINE_S)
