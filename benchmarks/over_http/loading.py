"""Puts load on each side in turn, and looks at what it cost and whether it was published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.ground import Ground
from benchmarks.kafka import reading, wait_for
from benchmarks.measuring import STALLED_S
from benchmarks.over_http.comparing import Comparison, Round
from benchmarks.over_http.sides import Target
from benchmarks.over_http.wrk import Load, put_load, write_bodies
from benchmarks.processes import Process


class Loading:
    """wrk and the bodies of each side. `answered` counts what each side answered properly so far."""

    def __init__(self, wrk: str, targets: Sequence[Target], model: Process | None, folder: Path) -> None:
        self._wrk = wrk
        self._targets = targets
        self._model = model
        self._bodies: Mapping[str, Path] = {
            target.name: write_bodies(folder / f"bodies-{number}", target.bodies)
            for number, target in enumerate(targets)
        }
        self.answered: dict[str, int] = dict.fromkeys(self._bodies, 0)

    def compare(self, connections: int, rounds: int, seconds: float) -> Comparison:
        """Every side in turn, so that whatever else the machine does meets all."""
        done: dict[str, list[Round]] = {target.name: [] for target in self._targets}
        for number in range(1, rounds + 1):
            for target in self._targets:
                found = self._round(target, connections, seconds)
                done[target.name].append(found)
                print(f"  round {number}  {_said(target.name, connections, found.load)}", flush=True)
        return Comparison(connections, done)

    def warm_up(self, connections: int, seconds: float) -> None:
        """Load that nobody counts: pools open, paces are learned."""
        for target in self._targets:
            self._round(target, connections, seconds)

    def published(self, target: Target, ground: Ground) -> int:
        """How many answers of a side are on its topic, once all that were counted are, or no more come."""
        if target.published is None or target.process is None:
            return self.answered[target.name]
        with reading(ground.kafka, target.published) as records:
            wait_for(records, self.answered[target.name], STALLED_S, [target.process])
            return len(records)

    def _round(self, target: Target, connections: int, seconds: float) -> Round:
        gateway_s, model_s = _cpu_s(target.process), _cpu_s(self._model)
        load = put_load(
            self._wrk,
            target.url,
            self._bodies[target.name],
            target.content_type,
            connections=connections,
            seconds=seconds,
        )
        self.answered[target.name] += load.requests - load.refused
        return Round(
            load,
            _each(gateway_s, _cpu_s(target.process), load.requests),
            _each(model_s, _cpu_s(self._model), load.requests),
        )


def _cpu_s(process: Process | None) -> float | None:
    return None if process is None else process.cpu_s


def _each(before_s: float | None, after_s: float | None, requests: int) -> float | None:
    if before_s is None or after_s is None or not requests:
        return None
    return (after_s - before_s) * 1e6 / requests


def _said(name: str, connections: int, load: Load) -> str:
    return (
        f"{name:<40}{connections:>4} connections{load.requests_per_s:>9,.0f} requests/s"
        f"{load.p99_ms:>9.1f} ms p99{load.failed:>8,} failed"
    )
