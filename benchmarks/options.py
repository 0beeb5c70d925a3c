"""What the harness can be asked for."""

from __future__ import annotations

import argparse
from pathlib import Path

BARE_256 = "bare-256"
BARE_1024 = "bare-1024"
GATEWAY = "gateway"
PIPELINE = "pipeline"
NAIVE = "naive"
MLSERVER = "mlserver"
IN_PROCESS = "in-process"
SIDES = (BARE_256, BARE_1024, GATEWAY, PIPELINE, NAIVE, MLSERVER, IN_PROCESS)

EVENTS = 150_000
QUICK_EVENTS = 5_000
RUNS = 3

_DESCRIPTION = """\
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
    parser.add_argument("--events", type=int, help=f"of the fast sides; {EVENTS:,} by default")
    parser.add_argument("--runs", type=int, help=f"of each side, in turn; {RUNS} by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single run there too")
    yours = parser.add_argument_group("with what is yours")
    yours.add_argument("--bootstrap-servers", help="your Kafka; topics are made with a prefix, and deleted")
    yours.add_argument("--model-url", help="an Ekiben Bento that serves; needs --rows")
    yours.add_argument(
        "--rows", type=Path, metavar="FILE", help="rows to ask it about, one JSON object a line"
    )
    other = parser.add_argument_group("in place of the comparison")
    chosen = other.add_mutually_exclusive_group()
    chosen.add_argument("--profile", action="store_true", help="microseconds of an event's way, by step")
    options = parser.parse_args(arguments)
    if (options.model_url is None) != (options.rows is None):
        parser.error("expected --model-url and --rows together, found one alone")
    options.events = options.events or (QUICK_EVENTS if options.quick else EVENTS)
    options.runs = options.runs or (1 if options.quick else RUNS)
    return options


def _sides(text: str) -> tuple[str, ...]:
    sides = tuple(text.split(","))
    if unknown := set(sides) - set(SIDES):
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(SIDES)}, found {', '.join(unknown)}")
    return sides
