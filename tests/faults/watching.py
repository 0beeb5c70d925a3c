"""What comes of a load, as anybody can see it on the topics: results, dead letters, and what waits."""

from __future__ import annotations

import time

from ekiben_contracts.topics import (
    GATEWAY,
    PARKED,
    PREDICTION_REQUESTS,
    PREDICTION_RESULTS,
    dead_letter_topic,
    side_topic,
)
from faults.outside import Read, Reader
from faults.paced import Window


class Watch:
    """Reads on while it is asked to; every key is the name of a request, MODEL/NUMBER."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.requests = prefix + PREDICTION_REQUESTS.name
        self._results = prefix + PREDICTION_RESULTS.name
        self._dead = dead_letter_topic(self.requests, GATEWAY)
        self._parked = side_topic(self.requests, GATEWAY, PARKED)
        self.reader = Reader(bootstrap, self._results, self._dead, self._parked)

    @property
    def results(self) -> list[Read]:
        return self.reader.of(self._results)

    @property
    def dead_letters(self) -> list[Read]:
        return self.reader.of(self._dead)

    def answered(self) -> set[str]:
        return {(result.key or b"").decode() for result in self.results}

    def parked(self, model: str) -> set[str]:
        keys = {(record.key or b"").decode() for record in self.reader.of(self._parked)}
        return {key for key in keys if key.startswith(f"{model}/")}

    def out_of_order(self, model: str) -> int:
        """Results that came behind a later one of their partition; what was parked is outside any order."""
        latest: dict[int, int] = {}
        parked, late = self.parked(model), 0
        for result in self.results:
            name = (result.key or b"").decode()
            if name.startswith(f"{model}/") and name not in parked:
                number = int(name.rpartition("/")[2])
                late += number < latest.get(result.partition, -1)
                latest[result.partition] = max(number, latest.get(result.partition, -1))
        return late

    async def window(self, seconds: float) -> Window:
        """Let a stretch of time go by."""
        begin = time.time() * 1000
        end = begin + seconds * 1000
        while time.time() * 1000 < end:
            await self.reader.poll(0.25)
        return Window(begin, end)
