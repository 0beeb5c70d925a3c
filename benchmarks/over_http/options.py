"""What the load over HTTP can be asked for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from benchmarks.options import add_yours, parse_with_yours

SWEPT: Final = (1, 4, 16, 64, 256)
_DESCRIPTION: Final = """\
The gateway's POST /v1/predictions beside the model's own BentoML endpoint, one row a request, by wrk:
the same model, the same rows, one machine, in turn. The gateway publishes its answers, as it is shipped.
"""


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.over_http",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="one round of a second: to see that it works")
    parser.add_argument("--connections", type=_positive, default=16, help="of the ratios; 16 by default")
    parser.add_argument("--rounds", type=_positive, help="of each side, in turn; 5 by default")
    parser.add_argument("--seconds", type=_positive, help="of each round; 5 by default")
    parser.add_argument(
        "--sweep", action="store_true", help=f"then with {', '.join(map(str, SWEPT))} connections, once each"
    )
    parser.add_argument(
        "--unpublished", action="store_true", help="also gateways that publish nothing: what publishing costs"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single round there too")
    add_yours(parser)
    options = parse_with_yours(parser, arguments)
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.seconds = options.seconds or (1 if options.quick else 5)
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, found {number}")
    return number
