"""`ekiben demo`: a season of real flights through the whole system, and what became of each."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.console import Console

from ekiben.cli.commands import run
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.options import BootstrapServers, Secure, TopicPrefix
from ekiben.cli.output import Output
from ekiben.cli.upping import refuse_other_brokers
from ekiben.demo.hosting import Host
from ekiben.demo.place import Place, choose_place, make_ready
from ekiben.demo.plan import Plan
from ekiben.demo.rendering import NextStep, show
from ekiben.demo.report import Report
from ekiben.demo.showing import Show, shown_on
from ekiben.local.interrupting import interruptible
from ekiben_bus.settings import KafkaSettings

EXAMPLE = "Example: ekiben demo --requests 5000 --json report.json"


class MakeHost(Protocol):
    """A host of the demo's place: open, or with everybody's rights narrowed."""

    def __call__(self, show: Show, *, secure: bool) -> Host: ...


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
    secure: Secure = False,
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
    kafka = KafkaSettings(bootstrap_servers=bootstrap_servers) if bootstrap_servers else KafkaSettings()
    refuse_other_brokers(kafka, secure=secure)
    place = choose_place(
        home, is_broker_named=bootstrap_servers is not None, now=datetime.now(UTC), is_alone=secure
    )
    plan = Plan(
        requests=requests,
        rate=rate,
        paced_s=paced,
        run=place.run,
        features_from_store=features_from_store,
    )
    host = partial(Host, place, bootstrap_servers, topic_prefix)
    run(_run(place, plan, host, json_, secure=secure), Output())


async def _run(place: Place, plan: Plan, make_host: MakeHost, file: Path | None, *, secure: bool) -> ExitCode:
    make_ready(place)
    progress = Console(stderr=True, highlight=False)
    try:
        with shown_on(progress) as shown:
            report = await _demonstrate(plan, make_host, shown, secure=secure)
    except asyncio.CancelledError:  # Ctrl-C
        progress.print("interrupted; everything that was started is stopped")
        return ExitCode.INTERRUPTED
    _tell(report, place, file, secure=secure)
    return ExitCode.OK if report.is_whole else ExitCode.BUG


async def _demonstrate(plan: Plan, make_host: MakeHost, shown: Show, *, secure: bool) -> Report:
    # both need ekiben[local], as this command alone does
    from ekiben.demo.demonstration import demonstrate  # noqa: PLC0415
    from ekiben.demo.securing import Hosts, demonstrate_secure  # noqa: PLC0415

    host = make_host(shown, secure=secure)
    if not secure:
        with interruptible(host.hurry):
            return await demonstrate(host, plan, shown)
    hosts = Hosts(make_host(shown, secure=False), host)
    with interruptible(hosts.hurry):
        return await demonstrate_secure(hosts, plan, shown)


def _tell(report: Report, place: Place, file: Path | None, *, secure: bool) -> None:
    width = None if sys.stdout.isatty() else 120
    show(report, _next_steps(place, secure=secure), Console(highlight=False, width=width))
    if file is not None:
        file.write_text(report.to_json(), encoding="utf-8")


def _next_steps(place: Place, *, secure: bool) -> list[NextStep]:
    home = place.home.path
    shown = home.relative_to(Path.cwd()) if home.is_relative_to(Path.cwd()) else home
    up = "ekiben up --secure" if secure else "ekiben up"
    again = NextStep(f"{up} --home {shown}", "the same system again; then, from another terminal:")
    return [
        *([] if place.is_running else [again]),
        NextStep(f"ekiben routes --home {shown}", "the models and the ensemble that requests can name"),
        NextStep(f"ekiben results --from-beginning --home {shown}", "every result of this replay"),
        NextStep(f"ekiben dlq list --home {shown}", "the dead letters, and why each died"),
        NextStep(f"mlflow ui --backend-store-uri sqlite:///{shown}/mlflow.db", "how the models were trained"),
        NextStep(f"ls {shown}/logs", "what each part of the system said"),
    ]
