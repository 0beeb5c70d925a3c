"""The commands of `ekiben`, put together."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from ekiben.cli import (
    deploying,
    ensembles,
    examining,
    exit_codes,
    following,
    keys,
    offsets,
    parking,
    predicting,
    publishing,
    routing,
    schemas,
    topics,
    upping,
)
from ekiben.cli.dlq import app as dlq
from ekiben.demo import command as demo

app = typer.Typer(
    help="Serve machine-learning models over Kafka.",
    epilog=f"Exit codes\n{exit_codes.table()}",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ekiben {version('ekiben')}")
        raise typer.Exit


@app.callback()
def ekiben(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Say which version this is.", callback=_tell_version, is_eager=True),
    ] = False,
) -> None:
    """Serve machine-learning models over Kafka."""


_SYSTEM, _USE, _OPERATE = "The system", "Predictions", "Operation"

app.command(epilog=upping.EXAMPLE, rich_help_panel=_SYSTEM)(upping.up)
app.command(epilog=demo.EXAMPLE, rich_help_panel=_SYSTEM)(demo.demo)
app.command(epilog=examining.EXAMPLE, rich_help_panel=_SYSTEM)(examining.doctor)
app.command(epilog=predicting.EXAMPLE, rich_help_panel=_USE)(predicting.predict)
app.command(epilog=publishing.EXAMPLE, rich_help_panel=_USE)(publishing.publish)
app.command(epilog=following.EXAMPLE, rich_help_panel=_USE)(following.results)
app.command(epilog=routing.EXAMPLE, rich_help_panel=_OPERATE)(routing.routes)
app.command(epilog=deploying.EXAMPLE, rich_help_panel=_OPERATE)(deploying.deploy)
app.command(epilog=deploying.RETIRE_EXAMPLE, rich_help_panel=_OPERATE)(deploying.retire)
app.add_typer(ensembles.app, name="ensembles", rich_help_panel=_OPERATE)
app.add_typer(dlq.app, name="dlq", rich_help_panel=_OPERATE)
app.add_typer(parking.app, name="parked", rich_help_panel=_OPERATE)
app.add_typer(offsets.app, name="offsets", rich_help_panel=_OPERATE)
app.add_typer(keys.app, name="keys", rich_help_panel=_OPERATE)
app.add_typer(topics.app, name="topics", rich_help_panel=_OPERATE)
app.add_typer(schemas.app, name="schemas", rich_help_panel=_OPERATE)
