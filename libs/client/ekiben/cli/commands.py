"""How a command of the line becomes a coroutine, an exit code, or an error in the user's words."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import typer

from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.failing import fail
from ekiben.cli.output import Output


def run(command: Coroutine[None, None, ExitCode], output: Output) -> None:
    """Run to the end and leave with its exit code.

    Raises:
        typer.Exit: always, but for a typer.BadParameter.
    """
    try:
        code = asyncio.run(command)
    except typer.BadParameter:
        raise  # the command line was not understood: Typer tells that
    except Exception as error:  # noqa: BLE001 - the top of the program: everything is told here
        code = fail(error, output)
    raise typer.Exit(code)
