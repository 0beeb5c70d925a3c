"""`ekiben topics`: the topics of the contracts on a cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from ekiben.cli import acls
from ekiben.cli.asyncapi import asyncapi
from ekiben.cli.commands import run
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.options import BootstrapServers, HomeFolder, Json, TopicPrefix
from ekiben.cli.output import Output
from ekiben.cli.target import find_target
from ekiben.cli.terminal import Terminal, command
from ekiben.local.logins import ADMIN
from ekiben_bus.acl_plan import AclPlan
from ekiben_bus.acls import apply_acls, compare_acls
from ekiben_bus.naming import Naming
from ekiben_bus.topic_plan import Plan
from ekiben_bus.topics import TopicReport, apply_topics, compare_topics
from ekiben_contracts.topics import OPERATORS

app = typer.Typer(
    help="The topics of the contracts on a cluster.", no_args_is_help=True, rich_markup_mode="rich"
)
app.command(epilog="Example: ekiben topics asyncapi -b kafka-1:9092 --topic-prefix staging. > asyncapi.json")(
    asyncapi
)


app.command(epilog=acls.EXAMPLE)(acls.acls)


@app.command(epilog="Example: ekiben topics apply --dry-run -b kafka-1:9092 --topic-prefix staging.")
@command
async def apply(
    terminal: Terminal,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be created; change nothing.")
    ] = False,
    with_acls: Annotated[
        bool, typer.Option("--acls", help="Also grant who may do what: as the login of a super user.")
    ] = False,
    principal: acls.Principals = None,
) -> ExitCode:
    """Create the topics that are missing. Doing it again changes nothing; nothing is ever altered."""
    principals = acls.parse_principals(principal or [])
    # nobody who only works with the topics may grant
    target = terminal.target(ADMIN if with_acls and not dry_run else OPERATORS)
    where = target.kafka, Naming(target.topic_prefix)
    if dry_run:
        plan = await compare_topics(*where)
        granted = await compare_acls(*where, principals=principals) if with_acls else None
        return _tell_plan(plan, granted, terminal.output)
    report = await apply_topics(*where)
    granted = await apply_acls(*where, principals=principals) if with_acls else None
    return _tell_report(report, granted, terminal.output)


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
        target = find_target(bootstrap_servers, topic_prefix, home, role=OPERATORS)
        return _tell_all(await compare_topics(target.kafka, Naming(target.topic_prefix)), output)

    run(read(), output)


def _tell_report(report: TopicReport, granted: AclPlan | None, output: Output) -> ExitCode:
    code = ExitCode.NEGATIVE if granted is not None and granted.denying else ExitCode.OK
    if output.as_json:
        drifts = [str(drift) for drift in report.drifts]
        counts = {} if granted is None else {"acls": acls.counts(granted)}
        output.document({"created": report.created, "existing": report.existing, "drifts": drifts, **counts})
        return code
    for name in report.created:
        output.text(f"created  {name}", "green")
    for drift in report.drifts:
        output.warning(str(drift))
    output.text(f"{len(report.created)} created, {len(report.existing)} were there")
    if granted is not None:
        output.text(f"{len(granted.missing)} ACLs created, {len(granted.existing)} were there")
        acls.tell_beyond(granted, output)
    return code


def _tell_plan(plan: Plan, granted: AclPlan | None, output: Output) -> ExitCode:
    if output.as_json:
        output.document(
            {
                "would_create": [topic.name for topic in plan.missing],
                "existing": plan.existing,
                "too_narrow": [str(shortfall) for shortfall in plan.shortfalls],
                "drifts": [str(drift) for drift in plan.drifts],
                **({} if granted is None else {"acls": acls.counts(granted)}),
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
        if granted is not None:
            output.text(f"{len(granted.missing)} ACLs would be created, {len(granted.existing)} are there")
            acls.tell_beyond(granted, output)
    denied = granted is not None and granted.denying
    return ExitCode.NEGATIVE if plan.shortfalls or denied else ExitCode.OK


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
