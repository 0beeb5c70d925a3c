"""The columnar body beside JSON, against one real Bento: calls a second, and CPU time on both sides.

Ratios are to the JSON call of the same rows, measured right before it. CPU time is what to look at on
a busy machine. `--json FILE` writes the same numbers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import pandas as pd
import psutil
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from ekiben_contracts.event import FeatureValue
from ekiben_mlops.packaging import package
from ekiben_mlops.registry import Registry
from ekiben_mlops.serve import serve_command, wait_ready
from ekiben_mlops.settings import MlopsSettings
from ekiben_mlops.trained import trained_event
from ekiben_serving.http_client import HTTPModelClient
from ekiben_serving.transport import PooledTransport

MODEL = "columnar-benchmark"
Row = dict[str, FeatureValue]
Call = Callable[[list[Row]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One way of asking, at one number of rows a call."""

    body: str
    rows: int
    calls_per_s: float
    rows_per_s: float
    client_us: float
    server_us: float


def some_rows(number: int) -> list[Row]:
    """Ten features, four of them no doubles."""
    draw = random.Random(7)  # noqa: S311 - a benchmark, no secret
    return [
        {f"measure_{index}": draw.gauss(0, 1) for index in range(6)}
        | {"seats": draw.randrange(500), "night": draw.choice((True, False))}
        | {"carrier": draw.choice(("UA", "AA", "DL", "B6")), "origin": draw.choice(("EWR", "JFK", "LGA"))}
        for _ in range(number)
    ]


def package_model(settings: MlopsSettings) -> str:
    """Train a small model of mixed columns, and build its Bento."""
    rows = pd.DataFrame(some_rows(2000))
    texts = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    model = make_pipeline(
        make_column_transformer((texts, ["carrier", "origin"]), remainder="passthrough"),
        HistGradientBoostingClassifier(max_iter=50, random_state=0),
    ).fit(rows, rows["measure_0"] + rows["measure_1"] > 0)
    registry = Registry(settings)
    with registry.run("benchmarks"):
        version = registry.log_model(model, MODEL, rows)
    return package(trained_event(registry, MODEL, version), settings)


@asynccontextmanager
async def served(tag: str, settings: MlopsSettings) -> AsyncIterator[tuple[str, psutil.Process]]:
    """The Bento as a child process: its address, and the worker that computes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = serve_command(tag, port, settings, environ=os.environ)
    child = await asyncio.create_subprocess_exec(
        *command.argv, env=dict(command.env), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await wait_ready(command.url)
        (worker,) = psutil.Process(child.pid).children()
        yield command.url, worker
    finally:
        child.terminate()
        await child.wait()


async def measure(body: str, call: Call, rows: list[Row], worker: psutil.Process, seconds: float) -> Measured:
    """Ask one call after the other for some time."""
    await call(rows)
    calls, started, client, server = 0, time.perf_counter(), time.process_time(), sum(worker.cpu_times()[:2])
    while time.perf_counter() - started < seconds:
        await call(rows)
        calls += 1
    took = time.perf_counter() - started
    client_us = (time.process_time() - client) / calls * 1e6
    server_us = (sum(worker.cpu_times()[:2]) - server) / calls * 1e6
    return Measured(body, len(rows), calls / took, calls * len(rows) / took, client_us, server_us)


async def run(seconds: float) -> list[Measured]:
    """Both bodies, at 1, 256 and 1,024 rows a call."""
    found: list[Measured] = []
    with tempfile.TemporaryDirectory() as home:
        settings = MlopsSettings(home=Path(home))
        tag = await asyncio.to_thread(package_model, settings)
        async with served(tag, settings) as (url, worker):
            client = HTTPModelClient(MODEL, url)
            http = httpx.AsyncClient(transport=PooledTransport())

            async def in_json(rows: list[Row]) -> object:
                answer = await http.post(f"{url}/predict_batch", json={"rows": rows})
                return answer.raise_for_status().json()

            for number in (1, 256, 1024):
                rows = some_rows(number)
                found.append(await measure("json", in_json, rows, worker, seconds))
                found.append(await measure("columns", client.predict_batch, rows, worker, seconds))
            await http.aclose()
            await client.close()
    return found


def show(found: list[Measured]) -> None:
    """A table, each columnar line with its ratios to the JSON line above."""
    print(
        f"{'body':<8}{'rows':>6}{'calls/s':>10}{'rows/s':>10}{'client us':>12}{'server us':>12}  beside JSON"
    )
    for json_line, line in zip(found[::2], found[1::2], strict=True):
        ratio = f"{line.rows_per_s / json_line.rows_per_s:.1f}x rows/s"
        cpu = (json_line.client_us + json_line.server_us) / (line.client_us + line.server_us)
        for one, note in ((json_line, ""), (line, f"{ratio}, {cpu:.1f}x fewer CPU us")):
            print(
                f"{one.body:<8}{one.rows:>6}{one.calls_per_s:>10.0f}{one.rows_per_s:>10.0f}"
                f"{one.client_us:>12.0f}{one.server_us:>12.0f}  {note}"
            )


def main() -> None:
    """Read the options, measure, print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=4.0, help="for each line of the table")
    options.add_argument("--json", type=Path, help="write the numbers there too")
    chosen = options.parse_args()
    found = asyncio.run(run(chosen.seconds))
    show(found)
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(one) for one in found], indent=1))


if __name__ == "__main__":
    main()
