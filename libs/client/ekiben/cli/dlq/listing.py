"""`ekiben dlq list`: how many died, where and why."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import Annotated

import typer

from ekiben.cli.dlq.autopsy import as_document
from ekiben.cli.dlq.selecting import Conditions
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.output import Output
from ekiben.cli.terminal import Terminal, command
from ekiben.cli.watching import shown
from ekiben.dead_letters import DeadLetters, Obituary, Viewer

EXAMPLE = "Example: ekiben dlq list --group inference-gateway"


@command
async def list_(
    terminal: Terminal,
    conditions: Conditions,
    *,
    ids: Annotated[bool, typer.Option("--ids", help="Each dead letter on a line of its own.")] = False,
) -> ExitCode:
    """Count the dead letters that nobody has replayed or discarded; how old the oldest is."""
    output, selection = terminal.output, conditions.selection()
    async with terminal.client() as ekiben:
        with output.progress() as progress:
            letters = ekiben.dead_letters(selection, watch=shown(progress))
            if ids:
                await _show_each(letters, await ekiben.viewer(), output)
                return ExitCode.OK
            found = await letters.count()
    _show(found, output)
    return ExitCode.OK


async def _show_each(letters: DeadLetters, viewer: Viewer, output: Output) -> None:
    async with aclosing(letters.unsettled()) as found:
        async for letter in found:
            view = viewer.view(letter)
            if output.as_json:
                output.document(as_document(letter, view))
                continue
            returned = f"  returned {letter.returned} times" if letter.returned else ""
            output.text(f"{letter.id}  {letter.reason}  {letter.error_class}  {view.error_message}{returned}")


def _show(found: Sequence[Obituary], output: Output) -> None:
    total = sum(each.count for each in found)
    returning = sum(each.returning for each in found)
    if output.as_json:
        output.document(
            {
                "total": total,
                "returning": returning,
                "dead_letters": [each.as_document() for each in found],
            }
        )
        return
    if not found:
        output.text("no dead letters")
        return
    rows = [
        (
            each.topic,
            each.group,
            each.reason,
            each.error_class,
            each.count,
            each.returning,
            each.oldest,
            each.latest_id,
        )
        for each in found
    ]
    headings = ("topic", "group", "reason", "error class", "count", "returning", "oldest", "the latest id")
    output.table(headings, rows)
