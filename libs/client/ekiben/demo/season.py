"""What is replayed: models trained on the early months, the flights of the later ones as requests.

Both are made by processes of their own, so that their memory is not the demo's.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ekiben.errors import StartError
from ekiben.local.child import Child, describe_exit
from ekiben.local.home import Home
from ekiben.local.logs import last_lines
from ekiben_contracts.prediction import PredictionRequested
from ekiben_contracts.training import ModelTrained
from ekiben_flights.plan import ENSEMBLE, LATE

_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Season:
    """A file of requests, a line each, and whether each flight came in late."""

    requests_file: Path
    outcomes: Mapping[str, bool]

    def requests(self) -> Iterator[PredictionRequested]:
        """The requests in their order, read as they are wanted."""
        with self.requests_file.open("rb") as lines:
            for line in lines:
                yield PredictionRequested.model_validate_json(line)


async def train(home: Home, env: Mapping[str, str]) -> list[ModelTrained]:
    """Train and register the models; their events."""
    events = _folder(home) / "trained.jsonl"
    await _run("ekiben_flights.train", ["--events", str(events)], home.log_of("training"), env)
    return [ModelTrained.model_validate_json(line) for line in events.read_bytes().splitlines()]


async def write_season(
    home: Home, env: Mapping[str, str], count: int, run: str, *, by_departure: bool = False
) -> Season:
    """Write `count` requests and what became of them; a `run` ends the request ids.

    `by_departure`: about what the feature store knows them by.
    """
    requests, outcomes = _folder(home) / "requests.jsonl", _folder(home) / "outcomes.jsonl"
    arguments = ["--count", str(count), "--model", ENSEMBLE, "--run", run]
    arguments += ["--requests", str(requests), "--outcomes", str(outcomes)]
    arguments += ["--by-departure"] if by_departure else []
    await _run("ekiben_flights.replay", arguments, home.log_of("replay"), env)
    return Season(requests, dict(_outcomes(outcomes)))


async def write_features(home: Home, env: Mapping[str, str], count: int) -> None:
    """Apply the feature repository of the flights, and write what it knows of those `count` requests."""
    arguments = [str(home.features), "--count", str(count)]
    await _run("ekiben_flights.feature_repository", arguments, home.log_of("features"), env)


def _outcomes(file: Path) -> Iterator[tuple[str, bool]]:
    with file.open("rb") as lines:
        for line in lines:
            outcome = json.loads(line)
            yield outcome["request_id"], outcome["outcome"] == LATE


def _folder(home: Home) -> Path:
    folder = home.path / "replay"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def _run(module: str, arguments: Sequence[str], log: Path, env: Mapping[str, str]) -> None:
    """Run a module to its end; end it should we be cancelled.

    Raises:
        StartError: it failed.
    """
    child = await Child.start([sys.executable, "-m", module, *arguments], log=log, env=env)
    try:
        code = await child.wait()
    except asyncio.CancelledError:
        await child.stop(_PATIENCE_S, asyncio.Event())
        raise
    if code != 0:
        lines = [f"its log {log}, which ends in:", *(f"  {line}" for line in last_lines(log, 5))]
        raise StartError(
            expected=f"{module} to do its work",
            found=f"that it {describe_exit(code)}",
            attempt="\n".join(lines),
        )
