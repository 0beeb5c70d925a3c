"""`ekiben demo`: a season of real flights through the whole system, and what became of each."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ekiben.cli.commands import run
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.options import BootstrapServers, TopicPrefix
from ekiben.cli.output import Output
from ekiben.demo.hosting import Host
from ekiben.demo.place import Place, choose_place, make_ready
from ekiben.demo.plan import Plan
from ekiben.demo.rendering import NextStep, show
from ekiben.demo.report import Report
from ekiben.demo.showing import shown_on
from ekiben.local.interrupting import interruptible

EXAMPLE = "Example: ekiben demo --requests 5000 --json report.json"

_MOST_REQUESTS = 100_000
_USUAL = Plan()


def _writable(file: Path | None) -> Path | None:
    """Told before minutes of work, not after."""
    if file is not None and not file.absolute().parent.is_dir():
        raise typer.BadParameter(f"expected a file in a folder that is there, found {file}")
    return file


def demo(
    *,
    requests: Annotated[
        int, typer.Option(min=1, max=_MOST_REQUESTS, help="How many flights to ask about at full speed.")
    ] = _USUAL.requests,
    rate: Annotated[
        float, typer.Option(min=1, max=2_000, help="Requests a second of the paced phase.")
    ] = _USUAL.rate,
    paced: Annotated[
        float, typer.Option(min=0.1, max=60, metavar="SECONDS", help="How long the paced phase lasts.")
    ] = _USUAL.paced_s,
    features_from_store: Annotated[
        bool,
        typer.Option(
            "--features-from-store",
            help="Ask about the same flights once more, features null: Feast has them.",
        ),
    ] = False,
    json_: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write the report as JSON, too.", callback=_writable),
    ] = None,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    home: Annotated[
        Path | None,
        typer.Option(
            "--home",
            envvar="EKIBEN_HOME",
            help="What the system keeps. [default: of the running one, else ./.ekiben/demo, emptied first]",
        ),
    ] = None,
) -> None:
    """Train two models on real flights, serve them, replay later months, and account for every request.

    Uses the `ekiben up` that runs, or starts a system of its own and stops it again.

    Exits with 1 if a request is lost.
    """
    place = choose_place(home, is_broker_named=bootstrap_servers is not None, now=datetime.now(UTC))
    plan = Plan(
        requests=requests,
        rate=rate,
        paced_s=paced,
        run=place.run,
        features_from_store=features_from_store,
    )
    run(_run(place, plan, bootstrap_servers, topic_prefix, json_), Output())


async def _run(
    place: Place, plan: Plan, bootstrap_servers: str | None, topic_prefix: str | None, file: Path | None
) -> ExitCode:
    from ekiben.demo.demonstration import demonstrate  # noqa: PLC0415 - needs ekiben[local], as this command alone does

    make_ready(place)
    progress = Console(stderr=True, highlight=False)
    try:
        with shown_on(progress) as shown:
            host = Host(place, bootstrap_servers, topic_prefix, shown)
            with interruptible(host.hurry):
                report = await demonstrate(host, plan, shown)
    except asyncio.CancelledError:  # Ctrl-C
        progress.print("interrupted; everything that was started is stopped")
        return ExitCode.INTERRUPTED
    _tell(report, place, file)
    return ExitCode.OK if report.accounts.is_whole else ExitCode.BUG


def _tell(report: Report, place: Place, file: Path | None) -> None:
    width = None if sys.stdout.isatty() else 120
    show(report, _next_steps(place), Console(highlight=False, width=width))
    if file is not None:
        file.write_text(report.to_json(), encoding="utf-8")


def _next_steps(place: Place) -> list[NextStep]:
    home = place.home.path
    shown = home.relative_to(Path.cwd()) if home.is_relative_to(Path.cwd()) else home
    again = NextStep(f"ekiben up --home {shown}", "the same system again; then, from another terminal:")
    return [
        *([] if place.is_running else [again]),
        NextStep(f"ekiben routes --home {shown}", "the models and the ensemble that requests can name"),
        NextStep(f"ekiben results --from-beginning --home {shown}", "every result of this replay"),
        NextStep(f"ekiben dlq list --home {shown}", "the dead letters, and why each died"),
        NextStep(f"mlflow ui --backend-store-uri sqlite:///{shown}/mlflow.db", "how the models were trained"),
        NextStep(f"ls {shown}/logs", "what each part of the system said"),
    ]
