"""`ekiben dlq trim`: let go of what has been seen to, on the topics that keep for ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from ekiben.cli.confirming import confirmed
from ekiben.cli.dlq.carrying import DryRun
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.output import Output
from ekiben.cli.terminal import Terminal, command
from ekiben.cli.watching import shown
from ekiben.dead_letters import Trim
from ekiben.explaining import explained
from ekiben_bus.erasing import delete_before

EXAMPLE = "Example: ekiben dlq trim --dry-run"


@command
async def trim(
    terminal: Terminal,
    *,
    topic: Annotated[str | None, typer.Option("--topic", help="Only what died of this topic.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="Only of this consumer group.")] = None,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> ExitCode:
    """Delete dead letters that were replayed or discarded, and what was replayed or parked and is answered.

    Kafka deletes the beginning of a log, no more: each partition is kept from the first record on that
    nobody has seen to, and the command names it. Nothing brings back what is deleted.
    """
    output, target = terminal.output, terminal.target()
    async with target.client() as ekiben:
        with output.progress() as progress:
            letters = ekiben.dead_letters(topic=topic, group=group, watch=shown(progress))
            found = [*await letters.trimmable(), *await ekiben.groups.finished(topic=topic, group=group)]
    if not output.as_json:
        _show(found, output)
    going = [each for each in found if each.removed > 0]
    agreed = bool(going) and not dry_run and (yes or confirmed("Delete them for ever?"))
    if agreed:
        names = ", ".join(sorted({each.place.topic for each in going}))
        with explained(target.kafka.bootstrap_servers, names):
            await delete_before(target.kafka, {each.place: each.until for each in going})
    deleted = sum(each.removed for each in going) if agreed else 0
    if output.as_json:
        output.document({"deleted": deleted, "partitions": [_document(each) for each in found]})
    else:
        output.text(f"{deleted} records deleted")
    return ExitCode.OK if agreed or dry_run or not going else ExitCode.NEGATIVE


def _show(found: Sequence[Trim], output: Output) -> None:
    rows = [
        (each.place.topic, each.place.partition, each.removed, each.kept, each.stops_at or "")
        for each in found
        if each.removed or each.kept
    ]
    if rows:
        output.table(("topic", "partition", "to delete", "kept", "kept from"), rows)


def _document(trim: Trim) -> dict[str, object]:
    return {
        "topic": trim.place.topic,
        "partition": trim.place.partition,
        "removed": trim.removed,
        "kept": trim.kept,
        "stops_at": trim.stops_at,
    }
