"""A target in memory, for tests of whoever starts and stops Bentos. It passes the suite of the real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ekiben_deployer.targets import Instance, Served


class FakeTarget:
    """Everything is up at once. `effects` has each change, so that a repeated call shows none."""

    def __init__(self) -> None:
        self.effects: list[str] = []
        self.running: dict[tuple[str, str], Instance] = {}
        self._ports = iter(range(20_000, 30_000))

    async def start(self, served: Served) -> Instance:
        """See Target.start."""
        place = served.model, served.version
        found = self.running.get(place)
        if found is None or found.served != served:
            url = found.url if found else f"http://127.0.0.1:{next(self._ports)}"
            self.running[place] = Instance(served, url, is_up=True)
            self.effects.append(f"start {served.model} {served.version}")
        return self.running[place]

    async def stop(self, model: str, version: str) -> None:
        """See Target.stop."""
        if self.running.pop((model, version), None) is not None:
            self.effects.append(f"stop {model} {version}")

    async def instances(self) -> Sequence[Instance]:
        """See Target.instances."""
        return list(self.running.values())

    def move(self, model: str, version: str) -> str:
        """Somebody else took its port: it listens elsewhere now. Returns where."""
        url = f"http://127.0.0.1:{next(self._ports)}"
        self.running[model, version] = replace(self.running[model, version], url=url)
        return url

    def crash(self, model: str, version: str, deaths: int) -> None:
        """It died, so often in a row."""
        broken = replace(
            self.running[model, version], is_up=False, deaths=deaths, last_words="ended with exit code 1"
        )
        self.running[model, version] = broken
