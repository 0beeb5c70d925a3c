"""`python -m benchmarks.over_http`: see --help, and docs/performance.md."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.ground import Ground
from benchmarks.over_http import sides
from benchmarks.over_http.comparing import Comparison, unpublished
from benchmarks.over_http.loading import Loading
from benchmarks.over_http.options import SWEPT, read_options
from benchmarks.over_http.tables import show, summary
from benchmarks.over_http.wrk import WrkMissingError, find_wrk
from benchmarks.serving import Served
from benchmarks.stage import stage
from ekiben_telemetry.logging import configure

_WARM_UP_S = 3.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What runs: Kafka, the model, and everybody who is asked."""

    ground: Ground
    served: Served
    targets: Sequence[sides.Target]


def main() -> None:
    """Run what was asked for; the last line is one JSON object, and the exit code says if it is void."""
    options = read_options()
    configure("benchmark", "ERROR")
    try:
        wrk = find_wrk()
    except WrkMissingError as error:
        sys.exit(str(error))
    with _standing(options) as standing:
        for target in standing.targets:
            sides.check(target, standing.ground.asking)
        loading = Loading(wrk, standing.targets, standing.served.process, standing.ground.folder)
        loading.warm_up(options.connections, 1.0 if options.quick else _WARM_UP_S)
        comparison = loading.compare(options.connections, options.rounds, options.seconds)
        show(comparison)
        others = _sweep(loading, options)
        void = comparison.void()
        for target in standing.targets:
            published = loading.published(target, standing.ground)
            void += unpublished(target.name, loading.answered[target.name], published)
    if options.json is not None:
        options.json.write_text(json.dumps([_every_round(one) for one in (comparison, *others)], indent=1))
    for why in void:
        print(f"void: {why}")
    print(json.dumps(summary(comparison, void)))
    sys.exit(1 if void else 0)


def _sweep(loading: Loading, options: argparse.Namespace) -> list[Comparison]:
    done: list[Comparison] = []
    for connections in SWEPT if options.sweep else ():
        done.append(loading.compare(connections, 1, options.seconds))
        show(done[-1])
    return done


@contextmanager
def _standing(options: argparse.Namespace) -> Iterator[Standing]:
    with ExitStack() as stack:
        on = stack.enter_context(stage(options))
        ground, served, asking = on.ground, on.served, on.ground.asking
        targets = [sides.bento_in_json(served, asking), sides.bento_in_columns(served, asking)]
        ways = {sides.SINGLE: sides.ONE_ROW_A_CALL, sides.BATCHED: {}}
        for name, settings in ways.items():
            targets.append(stack.enter_context(sides.gateway(name, served, ground, settings)))
        for name, settings in ways.items() if options.unpublished else ():
            silent = sides.gateway(name + sides.UNPUBLISHED, served, ground, settings, publishes=False)
            targets.append(stack.enter_context(silent))
        yield Standing(ground, served, targets)


def _every_round(comparison: Comparison) -> dict[str, object]:
    rounds = {
        side: [
            {**one.load.model_dump(), "gateway_us": one.gateway_us, "model_us": one.model_us} for one in every
        ]
        for side, every in comparison.rounds.items()
    }
    return {"connections": comparison.connections, "rounds": rounds}


if __name__ == "__main__":
    main()
