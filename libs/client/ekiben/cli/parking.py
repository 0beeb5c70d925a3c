"""`ekiben parked`: what waits aside, for which endpoint, since when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.output import Output
from ekiben.cli.terminal import Terminal, command
from ekiben.groups import Waiting

app = typer.Typer(
    help="Records that wait aside, for an endpoint or their next try.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@app.command("list", epilog="Example: ekiben parked list")
@command
async def list_(
    terminal: Terminal,
    *,
    topic: Annotated[str | None, typer.Option("--topic", help="Only those of this topic.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="Only those of this consumer group.")] = None,
) -> ExitCode:
    """List what waits: for which endpoint, since when, and why; and what waits for its next try."""
    async with terminal.client() as ekiben:
        found = await ekiben.groups.waiting(topic=topic, group=group)
    _show(found, terminal.output)
    return ExitCode.OK


def _show(found: Sequence[Waiting], output: Output) -> None:
    if output.as_json:
        documents = [each.as_document() for each in found]
        output.document({"total": sum(each.count for each in found), "waiting": documents})
        return
    if not found:
        output.text("nothing waits")
        return
    rows = [
        (
            each.topic,
            each.group,
            each.lane,
            each.endpoint or "-",
            each.count,
            each.since.isoformat(timespec="seconds"),
            each.reason,
        )
        for each in found
    ]
    output.table(("topic", "group", "waits in", "endpoint", "count", "since", "why, of the latest"), rows)
