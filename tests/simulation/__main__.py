"""Many seeds on every core; each that fails is printed with the command that replays it.

make simulate SEEDS=2000            seeds 0 to 1999
make simulate SEED=71 TRACE=1       one seed, with everything that happened in it
"""

from __future__ import annotations

import argparse
import sys
import time

from simulation.ledger import listed
from simulation.run import run
from simulation.sweep import Sweep, sweep

_REPLAY = "make simulate SEED={seed} TRACE=1"


def main() -> int:
    """The exit code is 1 if any seed broke a promise."""
    arguments = _arguments()
    if arguments.seed is not None:
        return _one(arguments.seed, trace=arguments.trace)
    started = time.monotonic()
    swept = Sweep()
    for outcome in sweep(range(arguments.start, arguments.start + arguments.seeds), arguments.workers):
        swept.add(outcome)
        if outcome.violations:
            _clear_line()
            print(f"seed {outcome.seed} fails: {listed(outcome.violations)}")
            print(f"  replay: {_REPLAY.format(seed=outcome.seed)}")
        _progress(swept, arguments.seeds)
        if swept.failed and arguments.first:
            break
    seconds = time.monotonic() - started
    _clear_line()
    print(
        f"{swept.runs:,} seeds, {swept.records:,} records, {swept.faults:,} faults, "
        f"{swept.virtual_s / 3600:,.1f} h of virtual time in {seconds:.0f} s "
        f"({swept.runs / seconds:.1f} seeds/s): {len(swept.failed)} failed"
    )
    return 1 if swept.failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2000, help="how many")
    parser.add_argument("--from", type=int, default=0, dest="start", help="the first of them")
    parser.add_argument("--workers", type=int, default=None, help="processes; one for each core by default")
    parser.add_argument("--first", action="store_true", help="stop at the first that fails")
    parser.add_argument("--seed", type=int, help="run this one alone")
    parser.add_argument("--trace", action="store_true", help="with --seed: print everything that happened")
    return parser.parse_args()


def _one(seed: int, *, trace: bool) -> int:
    outcome = run(seed, keep_trace=trace)
    for line in outcome.trace:
        print(line)
    found = "; ".join(map(str, outcome.violations)) or "all promises kept"
    print(
        f"seed {seed}: {outcome.records} records, {outcome.faults} faults, {outcome.virtual_s:.1f} s of "
        f"virtual time, trace {outcome.digest}: {found}"
    )
    return 1 if outcome.violations else 0


def _progress(swept: Sweep, total: int) -> None:
    if sys.stdout.isatty():
        print(f"\r{swept.runs:,} of {total:,} seeds, {len(swept.failed)} failed", end="", flush=True)


def _clear_line() -> None:
    if sys.stdout.isatty():
        print("\r\033[K", end="")


if __name__ == "__main__":
    sys.exit(main())
