"""`make soak`: a soak of any size, with its report. Exit code 1 where the ledger shows a wrong."""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from faults.soak.report import as_json, as_markdown, as_tables
from faults.soak.soaking import Soak, soak


def main() -> int:
    options = _parser().parse_args()
    asked = Soak(options.requests, options.faults, options.seed)
    said = Console(stderr=True, highlight=False)
    home = Path(tempfile.mkdtemp(prefix="ekiben-soak-"))
    said.print(f"seed {asked.seed}: {asked.requests:,} requests, {asked.faults} faults", style="bold")
    said.print(f"data and logs are in {home}; they go if all goes well")
    began = time.monotonic()
    report = soak(asked, home, lambda line: said.print(f"{time.monotonic() - began:6.1f} s  {line}"))
    said.print(as_tables(report))
    if options.markdown is not None:
        options.markdown.write_text(as_markdown(report), "utf-8")
    print(json.dumps(as_json(report)))
    if report.is_good:
        shutil.rmtree(home)
        return 0
    said.print(f"[bold red]wrong: {', '.join(report.wrongs)}[/]; data and logs stay in {home}")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000, help="how many, 20,000 by default")
    parser.add_argument("--faults", type=int, default=20, help="how many, 20 by default")
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(1_000_000), help="of the nemesis; drawn unless given"
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the report there, to be kept")
    return parser


if __name__ == "__main__":
    sys.exit(main())
