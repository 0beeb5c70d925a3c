"""`ekiben predict`: ask one question, await its answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ekiben.cli.commands import run
from ekiben.cli.exit_codes import ExitCode
from ekiben.cli.options import BootstrapServers, HomeFolder, Json, Timeout, TopicPrefix
from ekiben.cli.output import Output
from ekiben.cli.target import find_target
from ekiben.cli.wording import line_of
from ekiben.errors import InvalidInputError
from ekiben.results import Result
from ekiben_contracts.event import FeatureValue
from ekiben_contracts.prediction import PredictionFailed

EXAMPLE = "Example: ekiben predict flight-delay UA-1545 -f carrier=UA -f dep_hour=5"


def predict(
    model: Annotated[str, typer.Argument(help="A model or an ensemble.")],
    entity_id: Annotated[str, typer.Argument(help="What the prediction is about; the key of the record.")],
    *,
    features: Annotated[
        str | None, typer.Option("--features", metavar="JSON", help="A JSON object, or @FILE with one.")
    ] = None,
    feature: Annotated[
        list[str] | None,
        typer.Option("--feature", "-f", metavar="NAME=VALUE", help="One feature; repeat it."),
    ] = None,
    request_id: Annotated[str | None, typer.Option(help="Using it again means the same request.")] = None,
    deadline: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="After that no prediction is worth anything.")
    ] = None,
    timeout: Timeout = 30.0,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    home: HomeFolder = None,
    json_: Json = False,
) -> None:
    """Ask a model or an ensemble about one entity, and await the answer."""
    output = Output(as_json=json_)

    async def ask() -> ExitCode:
        given = parse_features(features, feature or [])
        async with find_target(bootstrap_servers, topic_prefix, home).client() as ekiben:
            result = await ekiben.predict(
                model, entity_id, given, request_id=request_id, deadline_s=deadline, timeout_s=timeout
            )
        _tell(result, output)
        return ExitCode.NEGATIVE if isinstance(result, PredictionFailed) else ExitCode.OK

    run(ask(), output)


def parse_features(document: str | None, pairs: list[str]) -> dict[str, FeatureValue] | None:
    """The features of both options together; None where neither was given: the feature store is asked."""
    if document is None and not pairs:
        return None
    found: dict[str, FeatureValue] = {} if document is None else _object(document)
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not (name and separator):
            raise InvalidInputError(expected="-f NAME=VALUE", found=repr(pair), attempt="-f carrier=UA")
        found[name] = _value(text)
    return found


def _object(document: str) -> dict[str, FeatureValue]:
    try:
        text = Path(document[1:]).read_text("utf-8") if document.startswith("@") else document
        found = json.loads(text)
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            expected="--features with a JSON object, or @FILE",
            found=str(error),
            attempt="""'{"dep_hour": 5}'""",
        ) from error
    if not isinstance(found, dict):
        raise InvalidInputError(
            expected="a JSON object of features",
            found=f"a JSON {type(found).__name__}",
            attempt="""'{"dep_hour": 5}'""",
        )
    return found


def _value(text: str) -> FeatureValue:
    """A number, true, false or null as JSON has them; anything else is text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if value is None or isinstance(value, bool | int | float | str) else text


def _tell(result: Result, output: Output) -> None:
    if output.as_json:
        output.json_line(result.to_json())
        return
    output.text(line_of(result), style="red" if isinstance(result, PredictionFailed) else "green")
    if isinstance(result, PredictionFailed):
        output.aside(f"dead letter: `ekiben dlq show {result.dead_letter}`" if result.dead_letter else "")
        return
    rows = [
        (each.model, each.version, f"{each.value:.6g}", f"{each.latency_ms:.1f} ms")
        for each in result.outputs
    ]
    output.table(("model", "version", "value", "latency"), rows)
