"""A rolling upgrade as it goes: a stream of requests, the members of one group, and all that comes of it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Self

from aiokafka import TopicPartition

from conformance.world import until
from ekiben_bus.cluster import Consumer, KafkaCluster
from ekiben_bus.publishing import PartitionPublisher, WireRecord
from ekiben_bus.records import Record
from ekiben_bus.settings import KafkaSettings
from ekiben_contracts.cloudevents import encode
from ekiben_contracts.event import Event
from ekiben_contracts.prediction import PredictionFailed, PredictionRequested
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS, PREDICTION_RESULTS, RETRIES, side_topic
from unit.evolution.second_version import HOURS, RequestedInHours

PARTITIONS = PREDICTION_REQUESTS.partitions
DEADLINE_S = 60.0
_TICK_S = 0.05
_A_TICK = 20
_WORDS = tuple(HOURS)


@dataclass
class Stream:
    """Writes requests, a few every tick, of the version that is set; and remembers what each asked for."""

    publisher: PartitionPublisher
    topic: str
    version: int = 1
    ended: bool = False
    hours: dict[str, int] = field(default_factory=dict[str, int])
    values: dict[str, bytes] = field(default_factory=dict[str, bytes])
    written: Counter[int] = field(default_factory=Counter[int])
    numbers: Iterator[int] = field(default_factory=count)

    async def flow(self) -> None:
        while not self.ended:
            batch = [self._next() for _ in range(_A_TICK)]
            await self.publisher.publish([record for _, _, record in batch])
            for request_id, hours, record in batch:
                self.hours[request_id] = hours
                self.values[request_id] = record.value or b""
            self.written[self.version] += len(batch)
            await asyncio.sleep(_TICK_S)

    def _next(self) -> tuple[str, int, WireRecord]:
        number = next(self.numbers)
        request_id, entity = f"v{self.version}-{number}", f"e{number % 40}"
        word = _WORDS[number % len(_WORDS)]
        hours = HOURS[word] if self.version == 1 else 1 + number % 500
        event: Event = (
            PredictionRequested(request_id=request_id, model="delay", entity_id=entity, time_horizon=word)
            if self.version == 1
            else RequestedInHours(request_id=request_id, model="delay", entity_id=entity, horizon_hours=hours)
        )
        value, headers = encode(event, id=request_id, source="/writer", time=datetime.now(UTC))
        return request_id, hours, WireRecord(self.topic, None, entity.encode(), value, headers)


class Watch:
    """Reads, while they come, the answers, what was put off, and the dead letters."""

    def __init__(self, cluster: KafkaCluster, prefix: str) -> None:
        self.answers: dict[str, list[tuple[str, PredictionFailed]]] = {}
        self.by: Counter[str] = Counter()
        self.letters: list[Record] = []
        self.put_off = 0
        self._results = prefix + PREDICTION_RESULTS.name
        requests = prefix + PREDICTION_REQUESTS.name
        self._first_retry = side_topic(requests, GATEWAY, RETRIES[0])
        self._graveyard = side_topic(requests, GATEWAY, "dlq")
        self._consumer: Consumer = cluster.consumer(group_id=None)
        topics = (self._results, self._first_retry, self._graveyard)
        self._places = [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]

    async def follow(self) -> None:
        self._consumer.assign(self._places)
        await self._consumer.start()
        try:
            await self._consumer.seek_to_beginning(*self._places)
            while True:
                for place, records in (await self._consumer.getmany(timeout_ms=100)).items():
                    for record in records:
                        self._note(place.topic, record)
        finally:
            await self._consumer.stop()

    def _note(self, topic: str, record: Record) -> None:
        if topic == self._first_retry:
            self.put_off += 1
        elif topic == self._graveyard:
            self.letters.append(record)
        else:
            answer = PredictionFailed.from_json(record.value or b"")
            ce_id = dict(record.headers)["ce_id"].decode()
            self.answers.setdefault(answer.request_id, []).append((ce_id, answer))
            self.by[f"{answer.model} {answer.request_id[:2]}"] += 1


class Rollout:
    """One group under load, of which members are started, old and new, and stopped."""

    def __init__(self, kafka: KafkaSettings, prefix: str, logs: Path, *member_options: str) -> None:
        cluster = KafkaCluster(kafka)
        self._publisher = PartitionPublisher(cluster)
        self.stream = Stream(self._publisher, prefix + PREDICTION_REQUESTS.name)
        self.watch = Watch(cluster, prefix)
        self._options = member_options
        self._logs = logs
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "EKIBEN_TOPIC_PREFIX": prefix,
            "EKIBEN_RETRY_DELAYS_S": "[1, 2, 8]",
        }
        self._members: dict[str, subprocess.Popen[bytes]] = {}
        self._flowing: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._flowing = asyncio.create_task(self.stream.flow())
        self._watching = asyncio.create_task(self.watch.follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end_stream()
        await asyncio.gather(*(self.stop(name) for name in [*self._members]))
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
        await self._publisher.stop()

    def start(self, name: str) -> None:
        """A member: `old-1` is one of the old release."""
        release = name.partition("-")[0]
        with (self._logs / f"{name}.log").open("wb") as log:
            command = [sys.executable, "-m", "integration.evolution.member", release, *self._options]
            self._members[name] = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    async def stop(self, name: str) -> None:
        """Drain a member, as a rolling upgrade does."""
        member = self._members.pop(name)
        member.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(member.wait, DEADLINE_S) == 0, (self._logs / f"{name}.log").read_text()

    async def end_stream(self) -> None:
        """Write no more; what was being written is acknowledged first."""
        self.stream.ended = True
        if self._flowing is not None:
            await self._flowing

    async def until(self, condition: Callable[[], object]) -> None:
        await until(lambda: self._check() and condition(), DEADLINE_S)

    def _check(self) -> bool:
        for task in (self._flowing, self._watching):
            if task is not None and task.done():
                task.result()  # what it raised
        dead = {
            name: member.returncode for name, member in self._members.items() if member.poll() is not None
        }
        assert dead == {}, [(self._logs / f"{name}.log").read_text() for name in dead]
        return True

    def answered(self, release: str, version: int) -> int:
        """How many requests of a version were answered by the members of a release."""
        return self.watch.by[f"{release} v{version}"]

    @property
    def unanswered(self) -> set[str]:
        """Requests that have no terminal event yet."""
        return self.stream.hours.keys() - self.watch.answers.keys()

    @property
    def buried(self) -> set[str]:
        """Requests of which there is a dead letter."""
        return {dict(letter.headers)["ce_id"].decode() for letter in self.watch.letters}
