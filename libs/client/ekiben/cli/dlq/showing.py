"""`ekiben dlq show`: one dead letter in full, and what was done about it."""

from __future__ import annotations

from typing import Annotated

import typer

from ekiben.cli.dlq.autopsy import as_document, report
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.output import Output
from ekiben.cli.terminal import Terminal, command
from ekiben.cli.watching import shown
from ekiben.dead_letters import Action, Case
from ekiben_contracts.operations import DeadLetterReplayed

EXAMPLE = "Example: ekiben dlq show ekiben.prediction-requests/inference-gateway/2/41/1"


@command
async def show(
    terminal: Terminal,
    dead_letter_id: Annotated[
        str, typer.Argument(metavar="ID", help="As `dlq list --ids` or a failed result has it.")
    ],
) -> ExitCode:
    """Show one dead letter: why it died, its headers, its bytes, the stack, and its history."""
    output = terminal.output
    async with terminal.client() as ekiben:
        with output.progress() as progress:
            case = await ekiben.dead_letters(watch=shown(progress)).look_into(dead_letter_id)
    if output.as_json:
        output.document(_document(case))
    else:
        report(case.letter, output)
        _tell_history(case, output)
    return ExitCode.OK


def _document(case: Case) -> dict[str, object]:
    attempts = [
        {"id": letter.id, "failed_at": letter.failed_at, "reason": letter.reason} for letter in case.attempts
    ]
    actions = [
        {"action": _name(action), **action.model_dump(mode="json", exclude={"topic", "group", "attempt"})}
        for action in case.actions
    ]
    return {
        **as_document(case.letter),
        "settled": case.is_settled,
        "history": {"attempts": attempts, "actions": actions},
    }


def _tell_history(case: Case, output: Output) -> None:
    output.text("\nhistory", "bold")
    for letter in case.attempts:
        output.text(f"{letter.failed_at}  attempt {letter.attempt} died: {letter.reason}")
        for action in case.actions:
            if action.dead_letter == letter.id:
                output.text(_line(action))
    if not case.is_settled:
        output.text("nobody has replayed or discarded it")


def _line(action: Action) -> str:
    parts = [f"{action.acted_at.isoformat()}  {_name(action)} by {action.by}"]
    if action.why:
        parts.append(f": {action.why}")
    if isinstance(action, DeadLetterReplayed) and action.patch:
        parts.append(f" (patched, {len(action.patch)} operations)")
    return "".join(parts)


def _name(action: Action) -> str:
    return "replayed" if isinstance(action, DeadLetterReplayed) else "discarded"
