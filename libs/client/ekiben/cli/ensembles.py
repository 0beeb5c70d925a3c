"""`ekiben ensembles`: several models that answer as one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ekiben.cli.deploying import LONGEST_S, Wait, see_through
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.options import Timeout
from ekiben.cli.terminal import Terminal, command
from ekiben.errors import InvalidInputError
from ekiben_contracts.event import ModelName
from ekiben_contracts.models import Method, MissingPolicy
from ekiben_contracts.wording import describe

app = typer.Typer(help="Several models that answer as one.", no_args_is_help=True, rich_markup_mode="rich")


class Ensemble(BaseModel):
    """An ensemble as a file describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    members: list[ModelName] = Field(min_length=1)
    method: Method = Method.AVERAGE
    weights: dict[ModelName, float] | None = None
    missing_policy: MissingPolicy = "any"
    coverage: float | None = Field(default=None, gt=0, lt=1)


class EnsemblesFile(BaseModel):
    """The file: ensembles by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ensembles: dict[ModelName, Ensemble] = Field(min_length=1)


@app.command(epilog="Example: ekiben ensembles define flight-delay flight-delay-trees flight-delay-linear")
@command
async def define(
    terminal: Terminal,
    name: Annotated[str, typer.Argument(help="What requests will name.")],
    members: Annotated[list[str], typer.Argument(help="Models that are routed.")],
    *,
    method: Annotated[Method, typer.Option(help="How their answers become one.")] = Method.AVERAGE,
    wait: Wait = True,
    timeout_s: Timeout = LONGEST_S,
) -> ExitCode:
    """Define one ensemble of models that are routed."""
    document = {"ensembles": {name: {"members": members, "method": method}}}
    found = _checked(document, "the command line")
    return await _define(found, terminal, wait=wait, timeout_s=timeout_s)


@app.command(epilog="Example: ekiben ensembles apply config/ensembles.yaml")
@command
async def apply(
    terminal: Terminal,
    file: Annotated[Path, typer.Argument(help="YAML: `ensembles`, by name, each with its `members`.")],
    *,
    wait: Wait = True,
    timeout_s: Timeout = LONGEST_S,
) -> ExitCode:
    """Define every ensemble of a file."""
    return await _define(read_ensembles(file), terminal, wait=wait, timeout_s=timeout_s)


def read_ensembles(file: Path) -> dict[str, Ensemble]:
    """The ensembles of a file, by name.

    Raises:
        InvalidInputError: it cannot be read, or a field is wrong.
    """
    try:
        document = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _invalid(str(file), str(error)) from error
    return _checked(document, str(file))


def _checked(document: object, origin: str) -> dict[str, Ensemble]:
    try:
        return dict(EnsemblesFile.model_validate(document).ensembles)
    except ValidationError as error:
        raise _invalid(origin, describe(error)) from error


def _invalid(origin: str, found: str) -> InvalidInputError:
    example = "ensembles: {flight-delay: {members: [flight-delay-trees, flight-delay-linear]}}"
    return InvalidInputError(expected=f"ensembles in {origin}", found=found, attempt=example)


async def _define(
    ensembles: dict[str, Ensemble], terminal: Terminal, *, wait: bool, timeout_s: float
) -> ExitCode:
    codes: list[ExitCode] = []
    async with terminal.client() as ekiben:
        for name, ensemble in ensembles.items():
            deployment = await ekiben.define_ensemble(
                name,
                ensemble.members,
                method=ensemble.method,
                weights=ensemble.weights,
                missing_policy=ensemble.missing_policy,
                coverage=ensemble.coverage,
            )
            codes.append(await see_through(deployment, terminal.output, wait=wait, timeout_s=timeout_s))
    return max(codes)
