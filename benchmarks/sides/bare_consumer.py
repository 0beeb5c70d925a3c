"""Runs a bare skeleton until SIGTERM: `python -m benchmarks.sides.bare_consumer --help`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import pickle
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import numpy as np
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.sides.bare_contracts import ContractSkeleton
from benchmarks.sides.bare_lean import LeanSkeleton
from benchmarks.sides.bare_skeleton import BATCH_BYTES, Predict, Tuning
from ekiben_bus.connection import client_options
from ekiben_bus.settings import KafkaSettings


async def over_http(url: str, stack: AsyncExitStack) -> Predict:
    """Ask the bare model server."""
    http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))

    async def predict(body: bytes) -> bytes:
        async with http.post(f"{url}/raw", data=body) as response:
            response.raise_for_status()
            return await response.read()

    return predict


def in_process(model: Path, columns: int, stack: AsyncExitStack) -> Predict:
    """Ask the model here, in a thread beside the event loop."""
    fitted = pickle.loads(model.read_bytes())  # noqa: S301 - written by the benchmark itself
    del fitted.feature_names_in_  # else every array is warned about
    thread = stack.enter_context(ThreadPoolExecutor(1))

    def compute(body: bytes) -> bytes:
        rows = np.frombuffer(body, np.float32).reshape(-1, columns)
        return fitted.predict_proba(rows)[:, 1].astype(np.float32).tobytes()

    async def predict(body: bytes) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(thread, compute, body)

    return predict


async def run(options: argparse.Namespace) -> None:
    """Consume until SIGTERM."""
    connection = client_options(KafkaSettings())
    names = options.names.split(",")
    consumer = AIOKafkaConsumer(
        options.requests,
        **connection,
        group_id=f"{options.requests}.bare",
        auto_offset_reset="earliest",
        auto_commit_interval_ms=options.commit_ms,
        max_partition_fetch_bytes=4 * BATCH_BYTES,
        check_crcs=False,
    )
    producer = AIOKafkaProducer(**connection, acks=1, max_batch_size=BATCH_BYTES)
    async with AsyncExitStack() as stack:
        if options.model is None:
            predict = await over_http(options.url, stack)
        else:
            predict = in_process(options.model, len(names), stack)
        await stack.enter_async_context(producer)
        await stack.enter_async_context(consumer)
        tuning = Tuning(options.rows, options.poll, options.polls_in_flight, options.gather_ms / 1000)
        kind = ContractSkeleton if options.contracts else LeanSkeleton
        skeleton = kind(predict, names, options.answers, tuning, producer)
        consuming = asyncio.ensure_future(skeleton.consume(consumer))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, consuming.cancel)
        await asyncio.wait([consuming])
        if not consuming.cancelled():
            consuming.result()


def main() -> None:
    """Read the options, and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    for text in ("requests", "answers", "names"):
        parser.add_argument(f"--{text}", required=True)
    server = parser.add_mutually_exclusive_group(required=True)
    server.add_argument("--url", help="of the bare model server")
    server.add_argument("--model", type=Path, help="the pickled model, to ask it here")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--poll", type=int, required=True)
    parser.add_argument("--polls-in-flight", type=int, required=True)
    parser.add_argument("--gather-ms", type=int, default=0)
    parser.add_argument("--commit-ms", type=int, default=5000)
    parser.add_argument("--contracts", action="store_true", help="with Ekiben's own events")
    options = parser.parse_args()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # as Ekiben's services set it
    uvloop.run(run(options))


if __name__ == "__main__":
    main()
