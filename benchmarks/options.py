"""What the harness can be asked for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

BARE_256: Final = "bare-256"
BARE_1024: Final = "bare-1024"
BARE_CONTRACTS: Final = "bare-contracts"
GATEWAY: Final = "gateway"
GATEWAYS: Final = "gateways"
PIPELINE: Final = "pipeline"
NAIVE: Final = "naive"
MLSERVER: Final = "mlserver"
MLSERVER_WORKER: Final = "mlserver-worker"
IN_PROCESS: Final = "in-process"
TWO_HOPS: Final = "bare-two-hops"
SIDES: Final = (
    BARE_256,
    BARE_1024,
    BARE_CONTRACTS,
    GATEWAY,
    GATEWAYS,
    PIPELINE,
    IN_PROCESS,
    NAIVE,
    MLSERVER,
)
"""Those of a comparison. mlserver-worker comes with mlserver; the two hops are for latencies."""

_NEEDED: Final = {"profile": (BARE_1024, GATEWAY, PIPELINE), "memory": (GATEWAY,), "scaling": ()}
"""The sides of what is done in place of a comparison."""

_DESCRIPTION: Final = """\
Ekiben beside what could be used in its place: the same model, the same events, real Kafka, one machine.

Starts what it needs, prints tables of ratios, and ends with one JSON object on one line.
"""


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="few events, one run: only to see that it works")
    parser.add_argument(
        "--sides", type=_sides, default=SIDES, metavar="A,B", help=f"of {', '.join(SIDES)}; all by default"
    )
    parser.add_argument("--events", type=int, help="of the fast sides; 150,000 by default")
    parser.add_argument("--runs", type=int, help="of each side, in turn; 3 by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single run there too")
    add_yours(parser)
    other = parser.add_argument_group("in place of the comparison").add_mutually_exclusive_group()
    other.add_argument("--profile", action="store_true", help="microseconds of an event's way, by step")
    other.add_argument("--memory", action="store_true", help="how the gateway's memory grows")
    other.add_argument(
        "--scaling", action="store_true", help="by partitions, members of an ensemble, features"
    )
    options = parse_with_yours(parser, arguments)
    options.sides = _NEEDED.get(next(filter(options.__getattribute__, _NEEDED), ""), options.sides)
    return options


def add_yours(parser: argparse.ArgumentParser) -> None:
    """Kafka and a model that somebody has already."""
    yours = parser.add_argument_group("with what is yours")
    yours.add_argument("--bootstrap-servers", help="your Kafka; topics are made with a prefix, and deleted")
    yours.add_argument("--model-url", help="an Ekiben Bento that serves; needs --rows")
    yours.add_argument("--rows", type=Path, metavar="FILE", help="rows to ask it about, a JSON object a line")


def parse_with_yours(parser: argparse.ArgumentParser, arguments: list[str] | None) -> argparse.Namespace:
    """The options. A model that is yours comes with the rows to ask it about, or the parser ends it."""
    options = parser.parse_args(arguments)
    if (options.model_url is None) != (options.rows is None):
        parser.error("expected --model-url and --rows together, found one alone")
    return options


def _sides(text: str) -> tuple[str, ...]:
    sides = tuple(text.split(","))
    if unknown := set(sides) - set(SIDES):
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(SIDES)}, found {', '.join(unknown)}")
    return sides
