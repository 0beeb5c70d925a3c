"""`python -m ekiben_deployer.supervisor --home DIR`; with `--stop`, the end of it and of all it runs."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from ekiben_deployer.supervisor import owner
from ekiben_deployer.supervisor.deciding import Policy
from ekiben_deployer.supervisor.files import Home, write_document
from ekiben_deployer.supervisor.identity import Identity
from ekiben_deployer.supervisor.single import AlreadyRunningError, sole
from ekiben_deployer.supervisor.stopping import stop
from ekiben_deployer.supervisor.supervising import Supervisor
from ekiben_telemetry.logging import configure


def main(arguments: Sequence[str] | None = None) -> int:
    """Supervise until SIGTERM, SIGINT or our owner's end; 0 also when another one of this home runs."""
    parser = argparse.ArgumentParser(prog="python -m ekiben_deployer.supervisor", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("EKIBEN_HOME", ".ekiben")))
    parser.add_argument(
        "--stop", action="store_true", help="stop the supervisor of this home and all it runs"
    )
    given = parser.parse_args(arguments)
    home = Home(given.home.absolute())
    configure("supervisor")
    if given.stop:
        stop(home)
        return 0
    return _supervise(home)


def _supervise(home: Home) -> int:
    told: list[int] = []

    def remember(number: int, _: FrameType | None) -> None:
        told.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, remember)
    owner_is_gone = owner.watch(os.environ.get(owner.VARIABLE))
    try:
        with sole(home.lock):
            write_document(home.supervisor, Identity.of(os.getpid()))
            Supervisor(home, Policy()).run(lambda: bool(told) or owner_is_gone())
            home.supervisor.unlink(missing_ok=True)
    except AlreadyRunningError as error:
        print(error, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
