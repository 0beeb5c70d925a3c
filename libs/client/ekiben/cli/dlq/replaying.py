"""`ekiben dlq replay`: send dead letters back to the group that failed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ekiben.cli.dlq.carrying import By, DryRun, Everything, Ids, Limit, carry_out
from ekiben.cli.dlq.selecting import Conditions, select
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.terminal import Terminal, command
from ekiben.dead_letters import MOST_ATTEMPTS, Actor, Pace, Patch, Treatment, read_patch
from ekiben.errors import InvalidInputError
from ekiben.whoami import user_name

EXAMPLE = "Example: ekiben dlq replay --reason unknown-model --since 6h --why 'the model is deployed now'"
USUAL_RATE = 500.0


@command
async def replay(
    terminal: Terminal,
    conditions: Conditions,
    ids: Ids = None,
    *,
    everything: Everything = False,
    limit: Limit = None,
    rate: Annotated[
        float,
        typer.Option(
            "--rate",
            min=0.0,
            metavar="RECORDS",
            help="A second at the most, so that what is alive is not pushed aside. 0: as fast as it goes.",
        ),
    ] = USUAL_RATE,
    patch: Annotated[
        str | None,
        typer.Option("--patch", metavar="JSON", help="A JSON patch (RFC 6902) of the payload, or @FILE."),
    ] = None,
    keep_deadline: Annotated[
        bool, typer.Option("--keep-deadline", help="Keep it: what is past it is then failed at once.")
    ] = False,
    max_attempts: Annotated[
        int, typer.Option("--max-attempts", min=1, help="Leave out what has had so many.")
    ] = MOST_ATTEMPTS,
    include_returning: Annotated[
        bool, typer.Option("--include-returning", help="Leave nothing out that keeps coming back.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Of given ids: also what was replayed or discarded before.")
    ] = False,
    dry_run: DryRun = False,
    by: By = None,
    why: Annotated[str | None, typer.Option("--why", help="The reason, for the record.")] = None,
) -> ExitCode:
    """Send dead letters back to the group that failed, and to no other reader of their topic.

    Each is recorded with who, when and why. Doing it again, or after it was killed, brings no second
    result. Deadlines are dropped. What keeps coming back is left out, unless its id is given.
    """
    selection = select(ids, conditions, everything=everything)
    if again and not ids:
        raise typer.BadParameter("expected ids with it", param_hint="--again")
    unbounded = include_returning or bool(ids)
    treatment = Treatment(
        patch=None if patch is None else _patch(patch),
        keep_deadline=keep_deadline,
        most_attempts=None if unbounded else max_attempts,
    )
    actor = Actor(by or user_name(), why)
    return await carry_out(
        terminal,
        selection,
        lambda letters: letters.replay(
            actor, treatment, pace=Pace(rate or None), limit=limit, again=again, dry_run=dry_run
        ),
        verb="replay",
        dry_run=dry_run,
    )


def _patch(text: str) -> Patch:
    if not text.startswith("@"):
        return read_patch(text)
    try:
        return read_patch(Path(text[1:]).read_bytes())
    except OSError as error:
        raise InvalidInputError(
            expected=f"to read {text[1:]}", found=error.strerror or str(error), attempt="another path"
        ) from error
