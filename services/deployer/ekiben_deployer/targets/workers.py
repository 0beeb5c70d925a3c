"""The deaths that a server hides: `bentoml serve` lives on and starts its worker anew, again and again."""

from __future__ import annotations

from collections.abc import Collection

import psutil

from ekiben_deployer.supervisor.identity import Identity


class WorkerDeaths:
    """Counts the workers that each server has used up, by looking often enough to see every one."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Identity, set[int]]] = {}

    def count(self, name: str, server: Identity, workers: Collection[int]) -> int:
        """How many workers of this server are gone, all but the latest, given those that run now."""
        known, seen = self._seen.get(name, (server, set[int]()))
        seen = seen | set(workers) if known == server else set(workers)
        self._seen[name] = server, seen
        return max(0, len(seen) - 1)


def workers_of(server: psutil.Process) -> set[int]:
    """The processes right below a server that run the same interpreter: not the tools it calls at times."""
    try:
        interpreter = server.exe()
        return {below.pid for below in server.children() if _runs(below, interpreter)}
    except psutil.Error:
        return set()


def _runs(process: psutil.Process, executable: str) -> bool:
    try:
        return process.exe() == executable
    except psutil.Error:  # gone, or a zombie
        return False
