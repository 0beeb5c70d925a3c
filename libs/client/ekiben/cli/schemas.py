"""`ekiben schemas`: what events look like, and what a change of one breaks for whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from ekiben.cli.commands import run
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.options import Json
from ekiben.cli.output import Output
from ekiben.errors import NotFoundError
from ekiben_contracts.checked_in import read
from ekiben_contracts.checks import SUBJECT
from ekiben_contracts.documents import schema
from ekiben_contracts.event import Event
from ekiben_contracts.evolution.changes import Change
from ekiben_contracts.evolution.comparing import changes
from ekiben_contracts.published import Compared, Standing, compare
from ekiben_contracts.topics import TOPICS

app = typer.Typer(help="The schemas of the events.", no_args_is_help=True, rich_markup_mode="rich")

_HEADINGS = ("where", "was", "is", "breaks")


@app.command("list", epilog="Example: ekiben schemas list --json | jq '.schemas[] | select(.frozen | not)'")
def list_(*, json_: Json = False) -> None:
    """List the types, the topics that carry them, and whether they are frozen."""
    output = Output(as_json=json_)

    async def tell() -> ExitCode:
        carriers = {name: t.name for t in TOPICS for name in (*t.by_type, *t.older) if name is not None}
        rows = [
            (each.type, carriers.get(each.type, ""), each.standing is Standing.FROZEN)
            for each in compare(SUBJECT, read())
        ]
        if output.as_json:
            told = [{"type": name, "topic": topic, "frozen": frozen} for name, topic, frozen in rows]
            output.document({"schemas": told})
        else:
            output.table(
                ("type", "topic", "frozen"),
                [(*row[:2], "frozen" if row[2] else "may change") for row in rows],
            )
        return ExitCode.OK

    run(tell(), output)


@app.command(epilog="Example: ekiben schemas show ekiben.prediction.requested.v1 | jq '.properties | keys'")
def show(event_type: Annotated[str, typer.Argument(metavar="TYPE")]) -> None:
    """Print the JSON Schema of a type's data: for a producer or a consumer in any language."""
    output = Output(as_json=True)

    async def tell() -> ExitCode:
        output.document(schema(_find(event_type)))
        return ExitCode.OK

    run(tell(), output)


@app.command(epilog="Example: ekiben schemas diff --json | jq '.types[] | select(.breaking)'")
def diff(
    event_type: Annotated[str | None, typer.Argument(metavar="[TYPE]", help="Only this one.")] = None,
    other: Annotated[
        str | None, typer.Argument(metavar="[TYPE]", help="The version to compare it with.")
    ] = None,
    *,
    json_: Json = False,
) -> None:
    """Tell what differs from what was published, or between two versions, and whom it breaks.

    A frozen type is compared with what was frozen, any other with its checked-in schema; two types with each
    other. It breaks *readers* that have the old schema if they meet events that they refuse, and *writers*
    that have it if their events are refused, or understood otherwise. Exit code 4 when something breaks.
    """
    output = Output(as_json=json_)

    async def tell() -> ExitCode:
        if event_type is not None and other is not None:
            found = changes(schema(_find(event_type)), schema(_find(other)))
            return _tell_two(event_type, other, found, output)
        if event_type is not None:
            _find(event_type)
        compared = [each for each in compare(SUBJECT, read()) if event_type in (None, each.type)]
        return _tell_published(compared, output)

    run(tell(), output)


def _find(event_type: str) -> type[Event]:
    event = SUBJECT.by_type.get(event_type)
    if event is None:
        raise NotFoundError(
            expected="the type of an event", found=event_type, attempt="`ekiben schemas list` names them all"
        )
    return event


def _tell_two(before: str, after: str, found: Sequence[Change], output: Output) -> ExitCode:
    breaking = any(change.is_breaking for change in found)
    if output.as_json:
        told = [change.as_json() for change in found]
        output.document({"before": before, "after": after, "breaking": breaking, "changes": told})
    elif found:
        _table(found, output)
    else:
        output.text("they accept the same", "green")
    return ExitCode.NEGATIVE if breaking else ExitCode.OK


def _tell_published(compared: Sequence[Compared], output: Output) -> ExitCode:
    frozen = sum(each.standing is Standing.FROZEN for each in compared)
    changed = [each for each in compared if each.changes]
    if output.as_json:
        output.document({"types": [_as_json(each) for each in compared]})
    else:
        for each in changed:
            output.text(f"{each.type} ({each.standing})", "bold")
            _table(each.changes, output)
        same = f"{len(compared) - len(changed)} of {len(compared)} types are as published"
        output.text(f"{same}; {frozen} are frozen: any change of those is refused")
    return ExitCode.NEGATIVE if any(each.is_breaking for each in compared) else ExitCode.OK


def _as_json(each: Compared) -> dict[str, object]:
    told = [change.as_json() for change in each.changes]
    return {"type": each.type, "against": each.standing, "breaking": each.is_breaking, "changes": told}


def _table(found: Sequence[Change], output: Output) -> None:
    rows = [(change.path, change.was, change.now, ", ".join(change.breaks) or "nobody") for change in found]
    output.table(_HEADINGS, rows)
