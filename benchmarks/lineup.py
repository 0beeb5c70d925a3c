"""The sides of a session: those that can run here, and why the others cannot."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from benchmarks import options as names
from benchmarks.ground import Ground
from benchmarks.serving import Raw, Served, raw_bento
from benchmarks.sides.bare import Bare
from benchmarks.sides.ekiben import end_to_end, gateway_alone, route_to, two_gateways
from benchmarks.sides.mlserver_environment import UnavailableError, mlserver
from benchmarks.sides.mlserver_transport import MLServer
from benchmarks.sides.naive import Naive
from benchmarks.sides.side import Side
from benchmarks.stage import stage

_OURS_ALONE = "it asks the benchmark's own servers, not the model at --model-url"


@dataclass(frozen=True, slots=True)
class Lineup:
    """Sides by name, in the order in which they run, and why others that were asked for do not.

    `two_hops` is the bare skeleton that latencies from end to end are compared with.
    """

    ground: Ground
    sides: dict[str, Side] = field(default_factory=dict[str, Side])
    skipped: dict[str, str] = field(default_factory=dict[str, str])
    two_hops: Side | None = None


@contextmanager
def lineup(options: argparse.Namespace) -> Iterator[Lineup]:
    """Kafka, the model behind HTTP, and the sides in front of it."""
    with ExitStack() as stack:
        on = stack.enter_context(stage(options, profile=options.profile))
        raw = None if on.trees is None else stack.enter_context(raw_bento(on.trees, on.ground.folder))
        found = Lineup(on.ground, two_hops=None if raw is None else _two_hops(raw))
        _line_up(found, options.sides, on.served, raw)
        yield found


def _two_hops(raw: Raw) -> Side:
    name, over_http = "bare skeleton, two hops", ("--url", raw.url)
    return Bare(name, over_http, rows=1024, poll=1024, polls_in_flight=1, two_hops=True, patient=True)


def _line_up(lineup: Lineup, asked: tuple[str, ...], served: Served, raw: Raw | None) -> None:
    every = _sides(served) | ({} if raw is None else _sides_of_ours(raw))
    for name in asked:
        if name in every:
            lineup.sides[name] = every[name]
        elif raw is None:
            lineup.skipped[name] = _OURS_ALONE
        else:
            _add_mlserver(lineup, raw)


def _sides(served: Served) -> dict[str, Side]:
    routes = [route_to(served)]
    return {
        names.GATEWAY: gateway_alone(routes),
        names.GATEWAYS: two_gateways(routes),
        names.PIPELINE: end_to_end(routes),
        names.NAIVE: Naive(served.url),
    }


def _sides_of_ours(raw: Raw) -> dict[str, Side]:
    over_http, here = ("--url", raw.url), ("--model", str(raw.model))
    return {
        names.BARE_256: Bare("bare skeleton, 256 rows", over_http, 256, 4096, 2),
        names.BARE_1024: Bare("bare skeleton, 1,024 rows", over_http, 1024, 4096, 2),
        names.BARE_CONTRACTS: Bare("bare skeleton, our events", over_http, 1024, 4096, 2, contracts=True),
        names.IN_PROCESS: Bare("model in process", here, 1024, 4096, 2),
    }


def _add_mlserver(lineup: Lineup, raw: Raw) -> None:
    try:
        command = mlserver()
    except UnavailableError as error:
        lineup.skipped[names.MLSERVER] = str(error)
        return
    lineup.sides[names.MLSERVER] = MLServer("MLServer", command, raw.model)
    lineup.sides[names.MLSERVER_WORKER] = MLServer("MLServer, a worker", command, raw.model, workers=1)
