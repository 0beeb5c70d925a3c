"""Trains tiny classifiers in the home's registry and announces them: `python tiny_models.py NAME…`.

Run as a process of its own: MLflow stays out of the tests.
"""

from __future__ import annotations

import asyncio
import os
import sys

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from ekiben import Ekiben
from ekiben_bus.verdicts import Outgoing
from ekiben_contracts.topics import TRAINED_MODELS
from ekiben_mlops.registry import Registry
from ekiben_mlops.settings import MlopsSettings
from ekiben_mlops.trained import trained_event

KEENNESS = {"tiny-mild": 0.1, "tiny-keen": 10.0}


def main() -> None:
    """x above 0 is a yes; the two differ in how sure they are."""
    registry = Registry(MlopsSettings())
    rows = pd.DataFrame({"x": np.linspace(-3.0, 3.0, 200), "y": np.tile([0.0, 1.0], 100)})
    events = []
    for name in sys.argv[1:]:
        model = LogisticRegression(C=KEENNESS[name]).fit(rows, np.where(rows["x"] > 0, "yes", "no"))
        with registry.run("tiny"):
            version = registry.log_model(model, name, rows)
        events.append(trained_event(registry, name, version))
    asyncio.run(announce([Outgoing(TRAINED_MODELS, event, event.run_id) for event in events]))


async def announce(trained: list[Outgoing]) -> None:
    """Publish model.trained of each."""
    async with Ekiben(topic_prefix=os.environ["EKIBEN_TOPIC_PREFIX"]) as ekiben:
        await ekiben.send(trained)


if __name__ == "__main__":
    main()
