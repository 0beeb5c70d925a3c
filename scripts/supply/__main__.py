"""`python -m scripts.supply lock | sbom | audit | assemble`, as `make` and the Dockerfile call it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from scripts.supply.bundles import ROOT, WHOLE, named

SBOMS = ROOT / "dist" / "sbom"


def main() -> int:
    """Run one of them; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.supply", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    lock = commands.add_parser("lock", help="write every lock anew")
    lock.add_argument("--upgrade", action="store_true", help="take newer versions, too")
    sbom = commands.add_parser("sbom", help="write what each bundle is made of, as CycloneDX")
    sbom.add_argument("--to", type=Path, default=SBOMS, metavar="FOLDER")
    audit = commands.add_parser("audit", help="ask an advisory source about every locked package")
    audit.add_argument("--strict", action="store_true", help="fail where no source answers")
    audit.add_argument("--lock", type=Path, default=WHOLE)
    audit.add_argument("--osv-url", help="a source that speaks OSV's protocol; pip-audit's own by default")
    audit.add_argument("--accept", action="append", default=[], metavar="ADVISORY")
    image = commands.add_parser("assemble", help="put together what the image of a service holds")
    image.add_argument("--service", default=os.environ.get("SERVICE"), metavar="NAME")
    image.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    chosen = parser.parse_args()
    # imported here: each command runs with no more than it needs
    if chosen.command == "lock":
        from scripts.supply.locking import relock  # noqa: PLC0415

        relock(upgrade=chosen.upgrade)
    if chosen.command == "sbom":
        from scripts.supply.sbom import write_all  # noqa: PLC0415

        for path in write_all(chosen.to):
            print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    if chosen.command == "audit":
        from scripts.supply.auditing import Source, run  # noqa: PLC0415

        return run(chosen.lock, Source(chosen.osv_url), strict=chosen.strict, accepted=chosen.accept)
    if chosen.command == "assemble":
        from scripts.supply.assembling import assemble  # noqa: PLC0415

        assemble(named(chosen.service), chosen.to)
    return 0


if __name__ == "__main__":
    sys.exit(main())
