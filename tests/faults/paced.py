"""A load at a steady rate, and how long its answers took by when they were asked for."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from faults.outside import Read, Writer


@dataclass(frozen=True)
class Window:
    """A stretch of time, in milliseconds since 1970 as Kafka's timestamps are."""

    begin_ms: float
    end_ms: float


class PacedLoad:
    """Asks each of some models in turn, from a thread, until the end of its block."""

    def __init__(
        self, bootstrap: str, topic: str, partitions: int, models: Sequence[str], per_s: float
    ) -> None:
        self._writer = Writer(bootstrap, **{"linger.ms": 0})
        self._topic = topic
        self._partitions = partitions
        self._models = models
        self._every_s = 1 / (per_s * len(models))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load")
        self.asked_ms: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()
        self._writer.flush()

    def asked(self, model: str) -> dict[str, int]:
        """When each request to a model was written, by its id."""
        return {name: at for name, at in list(self.asked_ms.items()) if name.startswith(f"{model}/")}

    def _run(self) -> None:
        began, number = time.monotonic(), 0
        while not self._ended.wait(max(0.0, began + number * self._every_s - time.monotonic())):
            model = self._models[number % len(self._models)]
            name = f"{model}/{number}"
            body = {
                "request_id": name,
                "model": model,
                "entity_id": name,
                "features": {"x": number % 7 - 3.5, "y": 0.0},
            }
            at_ms = time.time_ns() // 1_000_000
            partition = number // len(self._models) % self._partitions
            self._writer.write(
                name, self._topic, partition, name.encode(), json.dumps(body).encode(), at_ms=at_ms
            )
            self.asked_ms[name] = at_ms
            self._writer.poll()
            number += 1


def latencies_ms(results: Iterable[Read], asked_ms: dict[str, int], windows: Sequence[Window]) -> list[int]:
    """From request to result, of what was asked for within some windows, by Kafka's own timestamps."""
    first: dict[str, int] = {}
    for result in results:
        first.setdefault((result.key or b"").decode(), result.at_ms)
    return [
        first[name] - at
        for name, at in asked_ms.items()
        if name in first and any(window.begin_ms <= at < window.end_ms for window in windows)
    ]


def quantile(values: Sequence[float], share: float) -> float:
    """The value that a share of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def summary(latencies: Sequence[int]) -> str:
    """In words, for who reads the run."""
    shown = ", ".join(f"p{share * 100:g} {quantile(latencies, share)} ms" for share in (0.5, 0.95, 0.99))
    return f"{len(latencies)} answers, {shown}, at most {max(latencies)} ms"
