"""`ekiben results`: terminal events as they come, each request's once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import typer

from ekiben.cli.commands import run
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.options import BootstrapServers, HomeFolder, Json, TopicPrefix
from ekiben.cli.output import Output
from ekiben.cli.target import find_target
from ekiben.cli.wording import line_of
from ekiben.results import Result, Results
from ekiben_contracts.prediction import PredictionFailed

EXAMPLE = "Example: ekiben results --from-beginning --no-follow --json | jq .prediction"


def results(
    *,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="From the start of the topic.")
    ] = False,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Go on for ever, or stop at the end.")
    ] = True,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many.")] = None,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    home: HomeFolder = None,
    json_: Json = False,
) -> None:
    """Read results as they come, one a line, without duplicates. Ctrl-C ends it."""
    output = Output(as_json=json_)

    async def read() -> ExitCode:
        async with (
            find_target(bootstrap_servers, topic_prefix, home).client() as ekiben,
            ekiben.results(from_beginning=from_beginning) as found,
        ):
            if follow:
                output.aside("reading; Ctrl-C ends it")
            await _show(_all(found) if follow else _to_end(found), limit, output)
            if found.unreadable:
                output.warning(f"{found.unreadable} records on the topic are no results")
        return ExitCode.OK

    run(read(), output)


async def _show(found: AsyncIterator[Result], limit: int | None, output: Output) -> None:
    shown = 0
    async for result in found:
        if output.as_json:
            output.json_line(result.to_json())
        else:
            output.text(line_of(result), style="red" if isinstance(result, PredictionFailed) else "")
        shown += 1
        if shown == limit:
            return


async def _all(found: Results) -> AsyncIterator[Result]:
    async for result in found:
        yield result


async def _to_end(found: Results) -> AsyncIterator[Result]:
    async for result in found.to_end():
        yield result
