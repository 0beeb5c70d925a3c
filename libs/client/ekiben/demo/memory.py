"""How much memory the whole system takes, by process: the largest of some looks."""

from __future__ import annotations

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import PurePath
from typing import Final

import psutil

from ekiben.local.home import Home
from ekiben.local.system import SERVICES

_MB: Final = 1_000_000
_EVERY_S: Final = 2.0
_NEWBORN_S: Final = 1.0
_SERVED: Final = "EKIBEN_SERVING_CHILD"
"""Set by the supervisor of the model servers in each of them, to the path of what it serves."""
_MODULES: Final[Mapping[str, str]] = {
    **{module: name for name, module in SERVICES.items()},
    "ekiben_deployer.supervisor": "model-server supervisor",
    "ekiben_flights.train": "training",
    "ekiben_flights.replay": "replay writer",
    "ekiben_flights.feature_repository": "feature writer",
    "bentoml": "packaging",
}


class Memory:
    """Looks at the processes of a home, and remembers the most that each name took at one look."""

    def __init__(self, home: Home, owner: int, clock: Callable[[], float] = time.time) -> None:
        self._home = home
        self._owner = owner
        self._clock = clock
        self._others: set[psutil.Process] = set()
        self._peaks: dict[str, float] = {}

    @property
    def peaks(self) -> Mapping[str, float]:
        """MB (10^6 bytes) of resident memory by name, the largest first. Shared pages count in each."""
        return dict(sorted(self._peaks.items(), key=lambda item: -item[1]))

    async def watch(self) -> None:
        """Look every two seconds until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(_EVERY_S)

    def look(self) -> None:
        """Look once. Processes of one name, such as a model server and its worker, are added up."""
        found: defaultdict[str, float] = defaultdict(float)
        for name, process in self._ours():
            try:
                found[name] += process.memory_info().rss / _MB
            except psutil.Error:  # it has just ended
                continue
        for name, mb in found.items():
            self._peaks[name] = max(mb, self._peaks.get(name, 0.0))

    def _ours(self) -> Iterator[tuple[str, psutil.Process]]:
        below = _below(self._owner)
        for process in psutil.process_iter():
            if process in self._others or self._is_newborn(process):
                continue
            name = self._name(process, below)
            if name is None:
                self._others.add(process)
            else:
                yield name, process

    def _is_newborn(self, process: psutil.Process) -> bool:
        """Between fork and exec a process has the memory and the name of its parent: that counted double."""
        return self._clock() - process.create_time() < _NEWBORN_S

    def _name(self, process: psutil.Process, below: set[int]) -> str | None:
        """Its name; None for one that is not ours."""
        if process.pid == os.getpid():
            return "demo"
        if process.pid == self._owner:
            return "ekiben up"
        try:
            environ, command = process.environ(), process.cmdline()
        except psutil.Error:  # somebody else's, or gone
            return None
        is_ours = process.pid in below or environ.get("EKIBEN_HOME") == str(self._home.path)
        return name_of(command, environ) if is_ours else None


def name_of(command: Sequence[str], environ: Mapping[str, str]) -> str:
    """What a process of the system is, by what it was started with."""
    if any(PurePath(word).name == "leash.py" for word in command):
        return "leashes"
    served = environ.get(_SERVED)
    if served:
        return f"model server {PurePath(served).name}"
    if any(word.startswith("kafka.") for word in command):  # kafka.Kafka, kafka.tools.StorageTool
        return "kafka"
    modules = (word for flag, word in pairwise(command) if flag == "-m")
    return next((_MODULES[module] for module in modules if module in _MODULES), "others")


def _below(owner: int) -> set[int]:
    try:
        return {owner, *(child.pid for child in psutil.Process(owner).children(recursive=True))}
    except psutil.NoSuchProcess:
        return set()
