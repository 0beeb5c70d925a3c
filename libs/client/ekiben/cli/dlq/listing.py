"""`ekiben dlq`: what died, where and why."""

from __future__ import annotations

from typing import Annotated

import typer

from ekiben.cli.autopsy import as_document, report
from ekiben.cli.commands import run
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.options import BootstrapServers, HomeFolder, Json, TopicPrefix
from ekiben.cli.output import Output
from ekiben.cli.target import find_target
from ekiben.client import Ekiben
from ekiben.dead_letters import DeadLetter
from ekiben.errors import NotFoundError
from ekiben.obituaries import Obituary, summarize

app = typer.Typer(
    help="Dead letters: what died, where and why.", no_args_is_help=True, rich_markup_mode="rich"
)

Topic = Annotated[str | None, typer.Option("--topic", help="Only those of this topic.")]
Group = Annotated[str | None, typer.Option("--group", help="Only those of this consumer group.")]


@app.command("list", epilog="Example: ekiben dlq list --group inference-gateway")
def list_(
    *,
    topic: Topic = None,
    group: Group = None,
    ids: Annotated[bool, typer.Option("--ids", help="Each dead letter on a line of its own.")] = False,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    home: HomeFolder = None,
    json_: Json = False,
) -> None:
    """Count dead letters by topic, group, reason and error class; how old the oldest is."""
    output = Output(as_json=json_)

    async def read() -> ExitCode:
        async with find_target(bootstrap_servers, topic_prefix, home).client() as ekiben:
            if ids:
                await _show_each(ekiben, topic, group, output)
            else:
                _show(await summarize(ekiben.dead_letters(topic=topic, group=group)), output)
        return ExitCode.OK

    run(read(), output)


@app.command(epilog="Example: ekiben dlq show ekiben.prediction-requests/inference-gateway/2/41/1")
def show(
    dead_letter_id: Annotated[
        str, typer.Argument(metavar="ID", help="As `dlq list --ids` or a failed result has it.")
    ],
    *,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    home: HomeFolder = None,
    json_: Json = False,
) -> None:
    """Show one dead letter: why it died, its headers, its bytes, the stack."""
    output = Output(as_json=json_)

    async def read() -> ExitCode:
        async with find_target(bootstrap_servers, topic_prefix, home).client() as ekiben:
            letter = await _find(ekiben, dead_letter_id)
        if output.as_json:
            output.document(as_document(letter))
        else:
            report(letter, output)
        return ExitCode.OK

    run(read(), output)


async def _find(ekiben: Ekiben, dead_letter_id: str) -> DeadLetter:
    topic, _, rest = dead_letter_id.partition("/")
    group = rest.partition("/")[0]
    async for letter in ekiben.dead_letters(topic=topic, group=group):
        if letter.id == dead_letter_id:
            return letter
    raise NotFoundError(
        expected="the id of a dead letter, TOPIC/GROUP/PARTITION/OFFSET/ATTEMPT",
        found=f"none with the id {dead_letter_id}",
        attempt="`ekiben dlq list --ids`",
    )


async def _show_each(ekiben: Ekiben, topic: str | None, group: str | None, output: Output) -> None:
    async for letter in ekiben.dead_letters(topic=topic, group=group):
        if output.as_json:
            output.document(as_document(letter))
        else:
            output.text(f"{letter.id}  {letter.reason}  {letter.error_class}  {letter.error_message}")


def _show(found: list[Obituary], output: Output) -> None:
    total = sum(each.count for each in found)
    if output.as_json:
        output.document({"total": total, "dead_letters": [each.as_document() for each in found]})
        return
    if not found:
        output.text("no dead letters")
        return
    rows = [
        (each.topic, each.group, each.reason, each.error_class, each.count, each.oldest, each.latest_id)
        for each in found
    ]
    output.table(("topic", "group", "reason", "error class", "count", "oldest", "the latest id"), rows)
