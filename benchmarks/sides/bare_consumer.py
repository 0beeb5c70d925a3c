"""The bare skeleton: the least that gets an event to the model and its answer back. No safety at all.

aiokafka getmany, pydantic, one HTTP body of raw float32, one batch for each partition; uvloop. Several
polls are in flight at once; offsets are committed by a timer, whatever becomes of the records; an error
ends it. It is what the others are measured with, so it is as fast as we could make it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import pickle
import signal
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from pathlib import Path

import aiohttp
import numpy as np
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.producer.message_accumulator import BatchBuilder
from pydantic import BaseModel

from ekiben_bus.connection import client_options
from ekiben_bus.settings import KafkaSettings

BATCH_BYTES = 1024 * 1024

Predict = Callable[[bytes], Awaitable[bytes]]
"""Rows of float32 in, one float32 a row out."""


class Request(BaseModel):
    """What is needed of a request."""

    request_id: str
    model: str
    entity_id: str
    features: dict[str, float]


class Result(BaseModel):
    """The least that answers it."""

    request_id: str
    model: str
    entity_id: str
    prediction: float


@dataclass(frozen=True, slots=True)
class Tuning:
    """`rows` of a body, records of a `poll`, how many polls are in flight, how long a small one waits."""

    rows: int
    poll: int
    polls_in_flight: int
    gather_s: float


class Skeleton:
    """From a topic to a model to a topic."""

    def __init__(
        self,
        predict: Predict,
        names: Sequence[str],
        answers: str,
        tuning: Tuning,
        producer: AIOKafkaProducer,
    ) -> None:
        self._predict = predict
        self._values = itemgetter(*names)
        self._answers = answers
        self._tuning = tuning
        self._producer = producer

    async def consume(self, consumer: AIOKafkaConsumer) -> None:
        """Until cancelled, or until something fails."""
        places = asyncio.Semaphore(self._tuning.polls_in_flight)
        async with asyncio.TaskGroup() as polls:
            while True:
                await places.acquire()
                records = await self._poll(consumer)
                polls.create_task(self._answer(records)).add_done_callback(lambda _: places.release())

    async def _poll(self, consumer: AIOKafkaConsumer) -> list[ConsumerRecord]:
        found = await consumer.getmany(timeout_ms=1000, max_records=self._tuning.poll)
        records = list(chain.from_iterable(found.values()))
        if records and self._tuning.gather_s and len(records) < self._tuning.rows:
            await asyncio.sleep(self._tuning.gather_s)
            found = await consumer.getmany(max_records=self._tuning.poll)
            records += chain.from_iterable(found.values())
        return records

    async def _answer(self, records: Sequence[ConsumerRecord]) -> None:
        rows = self._tuning.rows
        parts = [records[start : start + rows] for start in range(0, len(records), rows)]
        await asyncio.gather(*map(self._answer_part, parts))

    async def _answer_part(self, records: Sequence[ConsumerRecord]) -> None:
        requests = self._read(records)
        answered = await self._predict(self._body(requests))
        batches = self._write(records, requests, np.frombuffer(answered, np.float32).tolist())
        sent = [
            await self._producer.send_batch(batch, self._answers, partition=partition)
            for partition, batch in batches.items()
        ]
        await asyncio.gather(*sent)

    def _read(self, records: Sequence[ConsumerRecord]) -> list[Request]:
        read = Request.model_validate_json
        return [read(record.value or b"") for record in records]

    def _body(self, requests: Sequence[Request]) -> bytes:
        numbers = chain.from_iterable([self._values(request.features) for request in requests])
        return np.fromiter(numbers, np.float32).tobytes()

    def _write(
        self, records: Sequence[ConsumerRecord], requests: Sequence[Request], predictions: Sequence[float]
    ) -> dict[int, BatchBuilder]:
        batches: defaultdict[int, BatchBuilder] = defaultdict(self._producer.create_batch)
        dump = Result.__pydantic_serializer__.to_json
        for record, request, prediction in zip(records, requests, predictions, strict=True):
            result = Result(
                request_id=request.request_id,
                model=request.model,
                entity_id=request.entity_id,
                prediction=prediction,
            )
            batches[record.partition].append(timestamp=None, key=record.key, value=dump(result))
        return batches


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
        skeleton = Skeleton(predict, names, options.answers, tuning, producer)
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
    options = parser.parse_args()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # as Ekiben's services set it
    uvloop.run(run(options))


if __name__ == "__main__":
    main()
