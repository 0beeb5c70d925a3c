"""The bare skeleton: the least that gets an event to the model and its answer back. No safety at all.

aiokafka getmany, pydantic, one HTTP body of raw float32, one batch for each partition; uvloop. Several
polls are in flight at once; offsets are committed by a timer, whatever becomes of the records; an error
ends it. It is what the others are measured with, so it is as fast as we could make it.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Generic, TypeVar

import numpy as np
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.producer.message_accumulator import BatchBuilder

from ekiben_contracts.event import FeatureValue

BATCH_BYTES = 1024 * 1024

Predict = Callable[[bytes], Awaitable[bytes]]
"""Rows of float32 in, one float32 a row out."""
Asked = TypeVar("Asked")


@dataclass(frozen=True, slots=True)
class Tuning:
    """`rows` of a body, records of a `poll`, how many polls are in flight, how long a small one waits."""

    rows: int
    poll: int
    polls_in_flight: int
    gather_s: float


class Skeleton(ABC, Generic[Asked]):
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

    def _body(self, requests: Sequence[Asked]) -> bytes:
        numbers = chain.from_iterable(map(self._values, self._features(requests)))
        return np.fromiter(numbers, np.float32).tobytes()

    @abstractmethod
    def _read(self, records: Sequence[ConsumerRecord]) -> Sequence[Asked]: ...

    @abstractmethod
    def _features(self, requests: Sequence[Asked]) -> Iterable[Mapping[str, FeatureValue]]: ...

    @abstractmethod
    def _write(
        self, records: Sequence[ConsumerRecord], requests: Sequence[Asked], predictions: Sequence[float]
    ) -> Mapping[int, BatchBuilder]: ...
