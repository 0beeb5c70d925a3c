"""`ekiben dlq show`: one dead letter in full, and what was done about it."""

from __future__ import annotations

from typing import Annotated

import typer

from ekiben.cli.dlq.autopsy import as_document, report
from ekiben.cli.dlq.carrying import By
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.output import Output
from ekiben.cli.terminal import Terminal, command
from ekiben.cli.watching import shown
from ekiben.dead_letters import Action, Actor, Case, View, whole
from ekiben.whoami import user_name
from ekiben_contracts.operations import DeadLetterReplayed, DeadLetterRevealed
from ekiben_contracts.sensitive import REDACTED

_LEFT_OUT = {"topic", "group", "attempt"}

EXAMPLE = "Example: ekiben dlq show ekiben.prediction-requests/inference-gateway/2/41/1"


@command
async def show(
    terminal: Terminal,
    dead_letter_id: Annotated[
        str, typer.Argument(metavar="ID", help="As `dlq list --ids` or a failed result has it.")
    ],
    *,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Also what is sensitive. Who looked, and why, is recorded first.")
    ] = False,
    why: Annotated[str | None, typer.Option("--why", help="The reason, for the record.")] = None,
    by: By = None,
) -> ExitCode:
    """Show one dead letter: why it died, its headers, its value, the stack, and its history.

    What is sensitive is left out, and so is what nobody can tell to be harmless. `--reveal` wants to be
    recorded on ekiben.dead-letter-actions: who may not write there is shown nothing.
    """
    if reveal and not (why or "").strip():
        raise typer.BadParameter("expected a reason with --reveal, found nothing", param_hint="--why")
    output = terminal.output
    async with terminal.client() as ekiben:
        viewer = await ekiben.viewer()
        with output.progress() as progress:
            letters = ekiben.dead_letters(watch=shown(progress))
            case = (
                await letters.reveal(dead_letter_id, Actor(by or user_name(), why))
                if reveal
                else await letters.look_into(dead_letter_id)
            )
    view = whole(case.letter) if reveal else viewer.view(case.letter)
    if output.as_json:
        output.document(_document(case, view, revealed=reveal))
    else:
        report(case.letter, view, output)
        _tell_history(case, output)
    return ExitCode.OK


def _document(case: Case, view: View, *, revealed: bool) -> dict[str, object]:
    attempts = [
        {"id": letter.id, "failed_at": letter.failed_at, "reason": letter.reason} for letter in case.attempts
    ]
    actions = [_act(action, revealed=revealed) for action in (*case.actions, *case.looks)]
    return {
        **as_document(case.letter, view),
        "settled": case.is_settled,
        "history": {"attempts": attempts, "actions": actions},
    }


def _act(action: Action | DeadLetterRevealed, *, revealed: bool) -> dict[str, object]:
    told = {"action": _name(action), **action.model_dump(mode="json", exclude=_LEFT_OUT)}
    if isinstance(action, DeadLetterReplayed) and action.patch and not revealed:
        told["patch"] = [
            {name: REDACTED if name == "value" else part for name, part in operation.items()}
            for operation in action.patch
        ]
    return told


def _tell_history(case: Case, output: Output) -> None:
    output.text("\nhistory", "bold")
    for look in case.looks:
        output.text(_line(look))
    for letter in case.attempts:
        output.text(f"{letter.failed_at}  attempt {letter.attempt} died: {letter.reason}")
        for action in case.actions:
            if action.dead_letter == letter.id:
                output.text(_line(action))
    if not case.is_settled:
        output.text("nobody has replayed or discarded it")


def _line(action: Action | DeadLetterRevealed) -> str:
    parts = [f"{action.acted_at.isoformat()}  {_name(action)} by {action.by}"]
    if action.why:
        parts.append(f": {action.why}")
    if isinstance(action, DeadLetterReplayed) and action.patch:
        parts.append(f" (patched, {len(action.patch)} operations)")
    return "".join(parts)


def _name(action: Action | DeadLetterRevealed) -> str:
    return action.type.split(".")[-2]
