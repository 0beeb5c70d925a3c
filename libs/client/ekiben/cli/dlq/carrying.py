"""A replay or a discard from its first step to its report; Ctrl-C ends it between two steps."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated

import typer

from ekiben.cli.dlq.tallying import Tally
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.interrupting import Interruption, StoppedError
from ekiben.cli.terminal import Terminal
from ekiben.cli.watching import shown
from ekiben.client import Ekiben
from ekiben.dead_letters import Chunk, DeadLetters, Selection

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="As `dlq list --ids` has them.")]
Everything = Annotated[
    bool, typer.Option("--all", help="Every dead letter, where neither ids nor conditions are given.")
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Stop after so many.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who does it. [default: who runs this]")]

Work = Callable[[DeadLetters], AsyncGenerator[Chunk]]


async def carry_out(
    terminal: Terminal, selection: Selection, work: Work, *, verb: str, dry_run: bool
) -> ExitCode:
    """Do it, and tell what became of each."""
    tally = Tally(verb, dry_run)
    async with terminal.client() as ekiben:
        with Interruption() as interruption, terminal.output.progress() as progress:
            letters = ekiben.dead_letters(selection, watch=interruption.checked(shown(progress)))
            bar = progress.add_task(f"{verb}ed", total=None)
            moved: set[str] = set()
            try:
                async with aclosing(work(letters)) as chunks:
                    async for chunk in chunks:
                        tally.add(chunk)
                        progress.update(bar, completed=tally.moved)
                        if selection.ids:
                            moved.update([each.id for each in (*chunk.moves, *chunk.left_out)])
                        interruption.check()
                await _look_for(selection.ids - moved, ekiben, tally)
            except StoppedError:
                tally.interrupted = True
    tally.tell(terminal.output)
    return tally.code


async def _look_for(ids: frozenset[str], ekiben: Ekiben, tally: Tally) -> None:
    """What was asked for by id and not found among the unsettled: is it there at all?"""
    if ids:
        found = {letter.id async for letter in ekiben.dead_letters(Selection(ids=ids))}
        tally.miss(ids, found)
