"""The sides of a session: those that can run, and why the others cannot."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import options as names
from benchmarks.asking import Asking
from benchmarks.flights import MODEL, train
from benchmarks.ground import Ground
from benchmarks.serving import ekiben_bento, raw_bento
from benchmarks.sides.bare import Bare
from benchmarks.sides.ekiben import end_to_end, gateway_alone, route_to
from benchmarks.sides.side import Side
from ekiben_bus.brokers.ladder import broker
from ekiben_bus.settings import KafkaSettings
from ekiben_contracts.topics import PREDICTION_REQUESTS


@dataclass(frozen=True, slots=True)
class Lineup:
    """Sides by name, in the order in which they run, and the reasons of those that were asked for in vain."""

    ground: Ground
    sides: Mapping[str, Side]
    skipped: Mapping[str, str]


@contextmanager
def lineup(
    asked: Sequence[str], bootstrap_servers: str | None, *, sampling: bool = False
) -> Iterator[Lineup]:
    """Kafka, the model behind HTTP, and the sides in front of it."""
    kafka = KafkaSettings(bootstrap_servers=bootstrap_servers) if bootstrap_servers else None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ekiben-bench-")))
        trees = train()
        found = stack.enter_context(broker(None, kafka=kafka))
        print(f"Kafka: {found}")
        served = stack.enter_context(ekiben_bento(MODEL, trees.fitted, trees.rows, folder))
        raw = stack.enter_context(raw_bento(trees, folder))
        routes = [route_to(served)]
        every: dict[str, Side] = {
            names.BARE_256: Bare("bare skeleton, 256 rows", ("--url", raw.url), 256, 2048, 2),
            names.BARE_1024: Bare("bare skeleton, 1,024 rows", ("--url", raw.url), 1024, 4096, 2),
            names.GATEWAY: gateway_alone(routes),
            names.PIPELINE: end_to_end(routes),
            names.IN_PROCESS: Bare("in process", ("--model", str(raw.model)), 1024, 4096, 2),
        }
        asking = Asking(MODEL, trees.rows, trees.entities, trees.expected)
        ground = Ground(found.settings, asking, folder, PREDICTION_REQUESTS.partitions, sampling)
        yield Lineup(ground, {name: every[name] for name in asked if name in every}, {})
