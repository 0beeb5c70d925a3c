"""`ekiben publish`: JSON lines in, prediction requests out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated

import typer
from pydantic import ValidationError

from ekiben.cli.commands import run
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.input import chunks
from ekiben.cli.lines import LONGEST, Line, LineSplitter
from ekiben.cli.options import BootstrapServers, HomeFolder, Json, TopicPrefix
from ekiben.cli.output import Output
from ekiben.cli.target import find_target
from ekiben.client import Ekiben
from ekiben_contracts.prediction import PredictionRequested
from ekiben_contracts.topics import RECORD_LIMIT
from ekiben_contracts.wording import describe

EXAMPLE = "Example: ekiben publish requests.jsonl"

_MOST_TOLD = 100
_LARGEST = RECORD_LIMIT - 4096
"""Bytes of a value: key and headers need some too."""
_MAY_GROW_TOO_LARGE = RECORD_LIMIT // 8


@dataclass(slots=True)
class Tally:
    """What became of the lines. Of the bad ones the first hundred are kept."""

    published: int = 0
    bad: int = 0
    told: list[dict[str, object]] = field(default_factory=list)

    def refuse(self, line: int, error: str, output: Output) -> None:
        """Count a bad line and say what is wrong with it."""
        self.bad += 1
        if self.bad > _MOST_TOLD:
            return
        self.told.append({"line": line, "error": error})
        if not output.as_json:
            output.warning(f"line {line}: {error}")


def publish(
    source: Annotated[str, typer.Argument(metavar="FILE", help="JSON lines; - is standard input.")] = "-",
    *,
    raw: Annotated[
        bool, typer.Option("--raw", help="Send each line as it is, good or bad, without headers.")
    ] = False,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    home: HomeFolder = None,
    json_: Json = False,
) -> None:
    """Publish prediction requests, one JSON object a line. Bad lines are named, the good ones published.

    A line: {"model": "flight-delay", "entity_id": "UA-1545", "features": {"dep_hour": 5}}
    """
    output = Output(as_json=json_)

    async def send() -> ExitCode:
        tally = Tally()
        splitter = LineSplitter()
        async with find_target(bootstrap_servers, topic_prefix, home).client() as ekiben:
            async for chunk in chunks(source):
                await _publish(splitter.feed(chunk), ekiben, tally, output, raw=raw)
            await _publish(splitter.finish(), ekiben, tally, output, raw=raw)
        _tell(tally, output)
        return ExitCode.BAD_INPUT if tally.bad else ExitCode.OK

    run(send(), output)


async def _publish(lines: Iterable[Line], ekiben: Ekiben, tally: Tally, output: Output, *, raw: bool) -> None:
    if raw:
        good = [text for line in lines if (text := _text(line, tally, output))]
        await ekiben.publish_raw(good)
    else:
        good = [request for line in lines if (request := _request(line, tally, output)) is not None]
        await ekiben.publish_many(good)
    tally.published += len(good)


def _request(line: Line, tally: Tally, output: Output) -> PredictionRequested | None:
    text = _text(line, tally, output)
    if not text:
        return None
    try:
        request = PredictionRequested.model_validate_json(text)
    except ValidationError as error:
        is_no_json = error.errors()[0]["type"] == "json_invalid"
        wrong = f"expected JSON, found {text[:40]!r}" if is_no_json else describe(error)
        tally.refuse(line.number, wrong, output)
        return None
    # written anew, JSON may grow: 1e15 becomes 1000000000000000.0
    if len(text) > _MAY_GROW_TOO_LARGE and len(request.to_json()) > _LARGEST:
        tally.refuse(line.number, f"expected a record of at most {_LARGEST} bytes, found more", output)
        return None
    return request


def _text(line: Line, tally: Tally, output: Output) -> bytes:
    """The text of a line that a record can hold; an empty line is nothing, and no fault."""
    if line.text is None or len(line.text) > _LARGEST:
        found = f"more than {LONGEST}" if line.text is None else str(len(line.text))
        tally.refuse(line.number, f"expected a record of at most {_LARGEST} bytes, found {found}", output)
        return b""
    return line.text.strip()


def _tell(tally: Tally, output: Output) -> None:
    if output.as_json:
        output.document({"published": tally.published, "bad": tally.bad, "bad_lines": tally.told})
        return
    if tally.bad > _MOST_TOLD:
        output.warning(f"and {tally.bad - _MOST_TOLD} more bad lines")
    output.text(f"{tally.published} published, {tally.bad} bad")
