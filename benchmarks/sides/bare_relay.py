"""The second hop of a bare skeleton: reads results, validates them, and writes them on. No safety either."""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal
from collections import defaultdict

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from benchmarks.sides.bare_lean import Result
from benchmarks.sides.bare_skeleton import BATCH_BYTES
from ekiben_bus.connection import client_options
from ekiben_bus.settings import KafkaSettings

_POLL = 1024


async def relay(consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, answers: str) -> None:
    """Until cancelled."""
    read, dump = Result.model_validate_json, Result.__pydantic_serializer__.to_json
    while True:
        batches: defaultdict[int, BatchBuilder] = defaultdict(producer.create_batch)
        for place, records in (await consumer.getmany(timeout_ms=1000, max_records=_POLL)).items():
            for record in records:
                value = dump(read(record.value or b""))
                batches[place.partition].append(timestamp=None, key=record.key, value=value)
        sent = [
            await producer.send_batch(batch, answers, partition=partition)
            for partition, batch in batches.items()
        ]
        await asyncio.gather(*sent)


async def run(options: argparse.Namespace) -> None:
    """Consume until SIGTERM."""
    connection = client_options(KafkaSettings())
    consumer = AIOKafkaConsumer(
        options.requests,
        **connection,
        group_id=f"{options.requests}.bare",
        auto_offset_reset="earliest",
        auto_commit_interval_ms=options.commit_ms,
        check_crcs=False,
    )
    producer = AIOKafkaProducer(**connection, acks=1, max_batch_size=BATCH_BYTES)
    async with producer, consumer:
        relaying = asyncio.ensure_future(relay(consumer, producer, options.answers))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, relaying.cancel)
        await asyncio.wait([relaying])
        if not relaying.cancelled():
            relaying.result()


def main() -> None:
    """Read the options, and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", required=True)
    parser.add_argument("--answers", required=True)
    parser.add_argument("--commit-ms", type=int, required=True)
    options = parser.parse_args()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    uvloop.run(run(options))


if __name__ == "__main__":
    main()
