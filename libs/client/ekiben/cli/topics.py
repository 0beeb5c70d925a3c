"""`ekiben topics`: the topics of the contracts on a cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from ekiben.cli.asyncapi import asyncapi
from ekiben.cli.commands import run
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.options import BootstrapServers, HomeFolder, Json, TopicPrefix
from ekiben.cli.output import Output
from ekiben.cli.target import find_target
from ekiben_bus.naming import Naming
from ekiben_bus.topic_plan import Plan
from ekiben_bus.topics import TopicReport, apply_topics, compare_topics

app = typer.Typer(
    help="The topics of the contracts on a cluster.", no_args_is_help=True, rich_markup_mode="rich"
)
app.command(epilog="Example: ekiben topics asyncapi -b kafka-1:9092 --topic-prefix staging. > asyncapi.json")(
    asyncapi
)


@app.command(epilog="Example: ekiben topics apply --dry-run -b kafka-1:9092 --topic-prefix staging.")
def apply(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be created; change nothing.")
    ] = False,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    home: HomeFolder = None,
    json_: Json = False,
) -> None:
    """Create the topics that are missing. Doing it again changes nothing; nothing is ever altered."""
    output = Output(as_json=json_)

    async def carry_out() -> ExitCode:
        target = find_target(bootstrap_servers, topic_prefix, home)
        naming = Naming(target.topic_prefix)
        if dry_run:
            return _tell_plan(await compare_topics(target.kafka, naming), output)
        return _tell_report(await apply_topics(target.kafka, naming), output)

    run(carry_out(), output)


@app.command("list", epilog="Example: ekiben topics list --json | jq '.topics[].name'")
def list_(
    *,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    home: HomeFolder = None,
    json_: Json = False,
) -> None:
    """List the topics that the contracts want, and whether the cluster has them right."""
    output = Output(as_json=json_)

    async def read() -> ExitCode:
        target = find_target(bootstrap_servers, topic_prefix, home)
        return _tell_all(await compare_topics(target.kafka, Naming(target.topic_prefix)), output)

    run(read(), output)


def _tell_report(report: TopicReport, output: Output) -> ExitCode:
    if output.as_json:
        drifts = [str(drift) for drift in report.drifts]
        output.document({"created": report.created, "existing": report.existing, "drifts": drifts})
        return ExitCode.OK
    for name in report.created:
        output.text(f"created  {name}", "green")
    for drift in report.drifts:
        output.warning(str(drift))
    output.text(f"{len(report.created)} created, {len(report.existing)} were there")
    return ExitCode.OK


def _tell_plan(plan: Plan, output: Output) -> ExitCode:
    if output.as_json:
        output.document(
            {
                "would_create": [topic.name for topic in plan.missing],
                "existing": plan.existing,
                "too_narrow": [str(shortfall) for shortfall in plan.shortfalls],
                "drifts": [str(drift) for drift in plan.drifts],
            }
        )
    else:
        for topic in plan.missing:
            output.text(
                f"would create  {topic.name}  {topic.partitions} partitions, {topic.replicas} replicas"
            )
        for fault in (*plan.shortfalls, *plan.drifts):
            output.warning(str(fault))
        output.text(f"{len(plan.missing)} would be created, {len(plan.existing)} are there")
    return ExitCode.NEGATIVE if plan.shortfalls else ExitCode.OK


def _tell_all(plan: Plan, output: Output) -> ExitCode:
    faults = {fault.topic: str(fault) for fault in (*plan.drifts, *plan.shortfalls)}
    rows = sorted(
        [(topic.name, "missing") for topic in plan.missing]
        + [(name, faults.get(name, "right")) for name in plan.existing]
    )
    if output.as_json:
        output.document({"topics": [{"name": name, "state": state} for name, state in rows]})
    else:
        output.table(("topic", "state"), rows)
    return ExitCode.NEGATIVE if plan.missing or plan.shortfalls else ExitCode.OK
