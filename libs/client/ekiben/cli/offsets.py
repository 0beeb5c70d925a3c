"""`ekiben offsets`: where the consumer groups stand, and how one goes on after a gap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from ekiben.cli.confirming import confirmed
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.output import Output
from ekiben.cli.terminal import Terminal, command
from ekiben.groups import Standing
from ekiben.groups.standing import with_gaps

app = typer.Typer(help="Where the consumer groups stand.", no_args_is_help=True, rich_markup_mode="rich")


@app.command("list", epilog="Example: ekiben offsets list --group inference-gateway")
@command
async def list_(
    terminal: Terminal,
    *,
    topic: Annotated[
        str | None, typer.Option("--topic", help="Only this topic, and those beside it.")
    ] = None,
    group: Annotated[str | None, typer.Option("--group", help="Only this consumer group.")] = None,
) -> ExitCode:
    """List what each group has committed, what the logs hold, its lag, and its gap, if it has one."""
    async with terminal.client() as ekiben:
        found = await ekiben.groups.standings(topic=topic, group=group)
    _show(found, terminal.output)
    return ExitCode.NEGATIVE if with_gaps(found) else ExitCode.OK


@app.command(
    epilog="Example: ekiben offsets skip --group inference-gateway "
    "--topic ekiben.prediction-requests --to-earliest"
)
@command
async def skip(
    terminal: Terminal,
    *,
    group: Annotated[str, typer.Option("--group", help="The consumer group that has stopped.")],
    topic: Annotated[str, typer.Option("--topic", help="The topic with the gap.")],
    partition: Annotated[
        int | None, typer.Option("--partition", min=0, help="Only this one. [default: all with a gap]")
    ] = None,
    to_earliest: Annotated[  # noqa: ARG001 - says what happens; there is no other way to go on
        bool, typer.Option("--to-earliest", help="Go on from where the log starts now.")
    ] = True,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> ExitCode:
    """Let a group that has stopped at a gap go on. Says what is given up, and asks.

    A partition without a gap is left alone. Refused while the group has members: stop the service first.
    """
    output = terminal.output
    async with terminal.client() as ekiben:
        gaps = with_gaps(await ekiben.groups.standings(topic=topic, group=group), partition)
        if not gaps:
            _tell_skipped(gaps, output)
            return ExitCode.OK
        for gap in gaps:
            output.warning(gap.skipping)
        if not yes and not confirmed("Give them up, and go on?"):
            output.warning("nothing was skipped")
            return ExitCode.NEGATIVE
        await ekiben.groups.skip_to_earliest(gaps)
    _tell_skipped(gaps, output)
    return ExitCode.OK


def _tell_skipped(gaps: Sequence[Standing], output: Output) -> None:
    if output.as_json:
        output.document({"skipped": [_document(gap) for gap in gaps]})
    elif gaps:
        output.text(f"{len(gaps)} partitions go on from where their log starts")
    else:
        output.text("nothing to skip: no partition of these has a gap")


def _show(found: Sequence[Standing], output: Output) -> None:
    if output.as_json:
        output.document({"offsets": [_document(each) for each in found]})
        return
    rows = [
        (
            each.group,
            each.topic,
            each.partition,
            "-" if each.committed is None else each.committed,
            each.start,
            each.end,
            each.lag,
            each.deleted_unread or (f"-{each.lost_behind}" if each.lost_behind else ""),
        )
        for each in found
    ]
    output.table(("group", "topic", "partition", "committed", "log start", "end", "lag", "gap"), rows)


def _document(standing: Standing) -> dict[str, object]:
    return {
        "group": standing.group,
        "topic": standing.topic,
        "partition": standing.partition,
        "committed": standing.committed,
        "start": standing.start,
        "end": standing.end,
        "lag": standing.lag,
        "deleted_unread": standing.deleted_unread,
        "lost_behind": standing.lost_behind,
    }
