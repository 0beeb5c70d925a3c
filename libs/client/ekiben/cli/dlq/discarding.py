"""`ekiben dlq discard`: record that dead letters need no answer."""

from __future__ import annotations

from typing import Annotated

import typer

from ekiben.cli.dlq.carrying import By, DryRun, Everything, Ids, Limit, carry_out
from ekiben.cli.dlq.selecting import Conditions, select
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.terminal import Terminal, command
from ekiben.dead_letters import Actor
from ekiben.whoami import user_name

EXAMPLE = "Example: ekiben dlq discard --reason undecodable --until 2013-09-03 --why 'a load test'"


@command
async def discard(
    terminal: Terminal,
    conditions: Conditions,
    ids: Ids = None,
    *,
    everything: Everything = False,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")],
    limit: Limit = None,
    dry_run: DryRun = False,
    by: By = None,
) -> ExitCode:
    """Record that dead letters need no answer. They stay on their topic, and are listed no more."""
    if not why.strip():
        raise typer.BadParameter("expected a reason, found nothing", param_hint="--why")
    actor = Actor(by or user_name(), why)
    return await carry_out(
        terminal,
        select(ids, conditions, everything=everything),
        lambda letters: letters.discard(actor, limit=limit, dry_run=dry_run),
        verb="discard",
        dry_run=dry_run,
    )
