"""`ekiben deploy` and `ekiben retire`: ask for a version to serve, or to stop, and see it through."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.options import Timeout
from ekiben.cli.output import Output
from ekiben.cli.terminal import Terminal, command
from ekiben.cli.wording import line_of_step
from ekiben.deployments import Deployment
from ekiben_contracts.deployment import Step, Strategy

EXAMPLE = "Example: ekiben deploy flight-delay-trees 1"
RETIRE_EXAMPLE = 'Example: ekiben retire flight-delay-trees 2 --reason "its shadow answers were worse"'
LONGEST_S = 300.0

Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help="See it through, or return once it is asked for.")
]


@command
async def deploy(
    terminal: Terminal,
    model: Annotated[str, typer.Argument(help="A trained model.")],
    version: Annotated[str, typer.Argument(help="One of its versions.")],
    *,
    strategy: Annotated[Strategy, typer.Option(help="How traffic moves to it.")] = Strategy.DIRECT,
    replicas: Annotated[int, typer.Option(min=1)] = 1,
    feature_service: Annotated[
        str | None,
        typer.Option(help="Of the gateway's feature store: what requests leave out is read from there."),
    ] = None,
    wait: Wait = True,
    timeout_s: Timeout = LONGEST_S,
) -> ExitCode:
    """Deploy a version of a model; shows each step until the last."""
    async with terminal.client() as ekiben:
        deployment = await ekiben.deploy(
            model, version, strategy=strategy, replicas=replicas, feature_service=feature_service
        )
        return await see_through(deployment, terminal.output, wait=wait, timeout_s=timeout_s)


@command
async def retire(
    terminal: Terminal,
    model: Annotated[str, typer.Argument(help="A routed model.")],
    version: Annotated[str, typer.Argument(help="The version to stop: one that serves, or shadows.")],
    *,
    reason: Annotated[str, typer.Option(help="Why, for those who look later.")],
    wait: Wait = True,
    timeout_s: Timeout = LONGEST_S,
) -> ExitCode:
    """Take a version out of its route and stop it; shows each step until the last."""
    async with terminal.client() as ekiben:
        deployment = await ekiben.retire(model, version, reason=reason)
        return await see_through(deployment, terminal.output, wait=wait, timeout_s=timeout_s)


async def see_through(deployment: Deployment, output: Output, *, wait: bool, timeout_s: float) -> ExitCode:
    """Show each step until the last, whose kind is the exit code.

    Raises:
        NoAnswerError: the last step did not come in time.
    """
    if not wait:
        _tell_asked(deployment, output)
        return ExitCode.OK
    last = None
    try:
        async with asyncio.timeout(timeout_s):
            async for last in deployment.steps():
                if output.as_json:
                    output.json_line(last.to_json())
                else:
                    output.text(line_of_step(last), style=_style(last.step))
    except TimeoutError:
        raise deployment.not_finished(timeout_s) from None
    return ExitCode.OK if last is not None and last.step is Step.COMPLETED else ExitCode.NEGATIVE


def _tell_asked(deployment: Deployment, output: Output) -> None:
    if output.as_json:
        output.document({"deployment_id": deployment.id, "model": deployment.model})
    else:
        output.text(f"asked for: {deployment.model}, deployment {deployment.id}")


def _style(step: Step) -> str:
    return {Step.COMPLETED: "green", Step.FAILED: "red", Step.ROLLED_BACK: "red"}.get(step, "")
