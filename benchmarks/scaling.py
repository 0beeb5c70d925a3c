"""`--scaling`: events a second by partitions, by members of an ensemble, and by features.

Beside each, where it makes sense, the bare skeleton under the same conditions.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.asking import Asking
from benchmarks.effort import Effort
from benchmarks.flights import Trees, train
from benchmarks.ground import Ground
from benchmarks.measuring import measure
from benchmarks.serving import Served, ekiben_bento, raw_bento
from benchmarks.sides.bare import Bare
from benchmarks.sides.ekiben import end_to_end, ensemble_of, route_to
from benchmarks.sides.side import Side
from ekiben_contracts.event import Event

PARTITIONS: Final = (1, 2, 4, 8)
MEMBERS: Final = (1, 2, 4)
FEATURES: Final = (10, 100, 1_000)
_LEARNED: Final = 2_000
_VALUES_A_RUN: Final = 5_000_000
_ENSEMBLE: Final = "benchmark-ensemble"


@dataclass(frozen=True, slots=True)
class Scaled:
    """Medians of events a second under one condition. `bare` is None where there is nothing bare to it."""

    by: str
    number: int
    events: int
    ekiben: float
    bare: float | None
    missing: int


def scale(ground: Ground, effort: Effort) -> Iterator[Scaled]:
    """Every condition in turn; models are trained and served as they are needed."""
    trees = train()
    with ExitStack() as stack:
        served = [
            stack.enter_context(ekiben_bento(f"member-{number}", trees.fitted, trees.rows, ground.folder))
            for number in range(max(MEMBERS))
        ]
        raw = stack.enter_context(raw_bento(trees, ground.folder))
        asking = Asking(served[0].model, trees.asked, trees.entities, trees.expected)
        one = replace(ground, asking=asking)
        for partitions in PARTITIONS:
            yield _run(
                "partitions", partitions, replace(one, partitions=partitions), effort, served[:1], raw.url
            )
        for members in MEMBERS:
            several = replace(ground, asking=Asking(_ENSEMBLE, trees.asked, trees.entities, trees.expected))
            yield _run("members", members, several, effort, served[:members], None)
    for features in FEATURES:
        with ExitStack() as stack:
            wide = random_trees(features)
            folder = _folder(ground, features)
            served = stack.enter_context(ekiben_bento(f"wide-{features}", wide.fitted, wide.rows, folder))
            raw = stack.enter_context(raw_bento(wide, folder))
            asking = Asking(served.model, wide.asked, wide.entities, wide.expected)
            yield _run("features", features, replace(ground, asking=asking), effort, [served], raw.url)


def random_trees(features: int) -> Trees:
    """The same kind of trees on so many columns of noise; the first two decide."""
    draw = np.random.default_rng(0)
    names = [f"feature_{number}" for number in range(features)]
    rows = pd.DataFrame(draw.normal(size=(_LEARNED, features)).astype(np.float32), columns=names)
    fitted = HistGradientBoostingClassifier(max_iter=120, max_leaf_nodes=15).set_params(early_stopping=False)
    fitted.fit(rows, np.where(rows[names[0]] + rows[names[1]] > 0, "late", "in_time"))
    return Trees(fitted, rows, [f"entity-{number}" for number in range(_LEARNED)])


def _folder(ground: Ground, features: int) -> Path:
    folder = ground.folder / f"features-{features}"
    folder.mkdir()
    return folder


def _run(
    by: str, number: int, ground: Ground, effort: Effort, served: list[Served], raw: str | None
) -> Scaled:
    events = min(effort.fast_events, _VALUES_A_RUN // len(ground.asking.names))
    routes: list[Event] = [route_to(each) for each in served]
    if ground.asking.model == _ENSEMBLE:
        routes += [ensemble_of(_ENSEMBLE, [each.model for each in served])]
    sides: list[Side] = [end_to_end(routes)]
    if raw is not None:
        sides.append(Bare("bare skeleton", ("--url", raw), 1024, 4096, 2))
    runs = [[measure(side, ground, events) for side in sides] for _ in range(effort.runs)]
    ours, *bare = ([run.events_per_s for run in runs_] for runs_ in zip(*runs, strict=True))
    return Scaled(
        by,
        number,
        events,
        statistics.median(ours),
        statistics.median(bare[0]) if bare else None,
        sum(run[0].missing for run in runs),
    )


def show_scaled(found: Scaled) -> None:
    """One condition."""
    bare = "" if found.bare is None else f"{found.bare:>12,.0f} bare {found.ekiben / found.bare:>8.3f}"
    print(
        f"{found.number:>6,} {found.by:<12}{found.events:>9,} events{found.ekiben:>10,.0f} a second{bare}"
        f"{found.missing:>6,} missing",
        flush=True,
    )
