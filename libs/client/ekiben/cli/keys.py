"""`ekiben keys create`: an API key for the gateway's HTTP face, shown once."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from ekiben.cli.options import Json
from ekiben.cli.output import Output
from ekiben_contracts.access import LONGEST_NAME, RATE_PATTERN, Scope, StoredKey, new_key

app = typer.Typer(
    help="API keys of the gateway's HTTP face: kept as digests, shown once; to revoke one, delete its line.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

EXAMPLE = "Example: ekiben keys create web-shop --scope predict --file keys.jsonl"
_MINE_ALONE = 0o600


@app.command(epilog=EXAMPLE)
def create(
    name: Annotated[str, typer.Argument(help="Whose it is; for people.")],
    *,
    file: Annotated[Path, typer.Option(help="Where the gateway reads keys: EKIBEN_HTTP_KEYS_FILE.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; give it several times for several.")],
    rate: Annotated[str | None, typer.Option(help="Rows in a time, such as 600/minute.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="After how many days it expires.")] = None,
    json_: Json = False,
) -> None:
    """Make a key, add its digest to the file, and show the key: it cannot be shown again."""
    _check(name, rate)
    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    made = new_key(name, frozenset(scope), rate, expires_at)
    _add(file, made.stored)
    output = Output(as_json=json_)
    if output.as_json:
        output.document({"key": made.key, "id": made.stored.id, "file": str(file)})
    else:
        output.text(made.key)


def _check(name: str, rate: str | None) -> None:
    if rate is not None and re.fullmatch(RATE_PATTERN, rate) is None:
        raise typer.BadParameter(f"--rate: expected a number and a time, such as 600/minute, found {rate!r}")
    if not 0 < len(name) <= LONGEST_NAME:
        raise typer.BadParameter(f"NAME: expected 1 to {LONGEST_NAME} characters, found {len(name)}")


def _add(file: Path, stored: StoredKey) -> None:
    """One line more, at the end: readable by its owner alone where the file is new."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _MINE_ALONE)
        with os.fdopen(descriptor, "a") as lines:
            lines.write(stored.model_dump_json(exclude_none=True) + "\n")
    except OSError as error:
        raise typer.BadParameter(f"--file: expected a file to write to, found: {error}") from error
