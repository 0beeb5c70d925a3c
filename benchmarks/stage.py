"""What every side stands on: Kafka, and the model behind HTTP; the benchmark's own, or what is yours."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.asking import Asking, rows_of
from benchmarks.flights import MODEL, Trees, train
from benchmarks.ground import Ground
from benchmarks.serving import Served, ekiben_bento, somebody_elses
from ekiben_bus.brokers.ladder import broker
from ekiben_bus.settings import KafkaSettings
from ekiben_contracts.topics import PREDICTION_REQUESTS


@dataclass(frozen=True, slots=True)
class Stage:
    """`trees` is the benchmark's own model; None where it is yours."""

    ground: Ground
    served: Served
    trees: Trees | None


@contextmanager
def stage(options: argparse.Namespace, *, profile: bool = False) -> Iterator[Stage]:
    """Until the end."""
    servers = options.bootstrap_servers
    kafka = KafkaSettings(bootstrap_servers=servers) if servers else None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ekiben-bench-")))
        found = stack.enter_context(broker(None, kafka=kafka))
        print(f"Kafka: {found}")
        trees = None if options.model_url else train()
        if trees is None:
            served = somebody_elses(options.model_url)
            asking = Asking(served.model, rows_of(options.rows))
        else:
            served = stack.enter_context(ekiben_bento(MODEL, trees.fitted, trees.rows, folder))
            asking = Asking(MODEL, trees.asked, trees.entities, trees.expected)
        ground = Ground(found.settings, asking, folder, PREDICTION_REQUESTS.partitions, profile)
        yield Stage(ground, served, trees)
