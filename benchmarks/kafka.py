"""Topics, and the independent client of the benchmark: librdkafka, which no side is built on."""

# pyright: reportPrivateImportUsage=false
# (confluent_kafka.admin documents these classes, and does not list them in __all__)

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from benchmarks.asking import Ask
from benchmarks.processes import Process
from ekiben_bus.librdkafka import librdkafka_options
from ekiben_bus.settings import KafkaSettings

_PATIENCE_S: Final = 60.0
_POLL_S: Final = 0.02
_CHUNK: Final = 10_000
_STILL_BEING_MADE: Final = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
)
"""What a partition answers just after its creation; librdkafka does not call it retriable."""
_STAMPED_BY_BROKER: Final = {"message.timestamp.type": "LogAppendTime"}


def client_settings(kafka: KafkaSettings) -> dict[str, Any]:
    """The connection, by librdkafka's names."""
    return {**librdkafka_options(kafka), "log_level": 2}


class Topics:
    """Creates, stamps and deletes topics."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._admin = AdminClient(client_settings(kafka))

    def create(self, names: Sequence[str], partitions: int) -> None:
        """Topics with as many copies as the cluster gives them, that everybody sees when this returns."""
        wanted = [NewTopic(name, num_partitions=partitions, replication_factor=-1) for name in names]
        for created in self._admin.create_topics(wanted).values():
            created.result(_PATIENCE_S)
        # a group that looks too early is assigned nothing, and looks again after minutes
        until = time.monotonic() + _PATIENCE_S
        while not all(self._is_led(name) for name in names) and time.monotonic() < until:
            time.sleep(_POLL_S)

    def _is_led(self, name: str) -> bool:
        partitions = self._admin.list_topics(name, _PATIENCE_S).topics[name].partitions.values()
        return bool(partitions) and all(partition.leader >= 0 for partition in partitions)

    def stamp(self, name: str) -> None:
        """From now on the broker says when a record came: no side's clock is trusted."""
        changes = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
            for key, value in _STAMPED_BY_BROKER.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=changes)
        for altered in self._admin.incremental_alter_configs([resource]).values():
            altered.result(_PATIENCE_S)

    def names(self) -> list[str]:
        """Of every topic."""
        return list(self._admin.list_topics(timeout=_PATIENCE_S).topics)

    def delete(self, prefix: str) -> None:
        """Every topic whose name starts like this."""
        names = [name for name in self.names() if name.startswith(prefix)]
        for deleted in self._admin.delete_topics(names).values() if names else ():
            deleted.result(_PATIENCE_S)


class Writer:
    """Produces requests, each acknowledged before `finish` returns."""

    def __init__(self, kafka: KafkaSettings, topic: str, linger_ms: int = 5) -> None:
        self._topic = topic
        self._refused: list[str] = []
        self._producer = Producer(
            {
                **client_settings(kafka),
                "linger.ms": linger_ms,
                "partitioner": "murmur2_random",  # as Java's and aiokafka's clients
                "queue.buffering.max.messages": 1_000_000,
                "queue.buffering.max.kbytes": 1_048_576,
                "enable.idempotence": True,
            }
        )

    def send(self, asks: Iterable[Ask]) -> None:
        """Hand them over; they leave in the background."""
        for number, (key, value, headers) in enumerate(asks):
            self._producer.produce(self._topic, value, key, headers=headers, on_delivery=self._told)
            if number % 1000 == 0:
                self._producer.poll(0)
        self._producer.poll(0)

    def finish(self) -> None:
        """Wait for every acknowledgement.

        Raises:
            RuntimeError: one is missing.
        """
        if left := self._producer.flush(_PATIENCE_S) or len(self._refused):
            raise RuntimeError(f"expected every request to be taken, found {left} left; {self._refused[:1]}")

    def _told(self, error: Any, _: Message) -> None:
        if error is not None:
            self._refused.append(str(error))


class Reader:
    """Reads a topic from its start, all partitions."""

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._consumer = Consumer(
            {
                **client_settings(kafka),
                "group.id": "benchmark",  # asked for, and not used: the partitions are assigned by hand
                "enable.auto.commit": False,
                "fetch.message.max.bytes": 4 * 1024 * 1024,
            }
        )
        self._topic = topic
        found = self._consumer.list_topics(topic, _PATIENCE_S).topics[topic]
        self._places = [TopicPartition(topic, number, OFFSET_BEGINNING) for number in found.partitions]
        self._consumer.assign(self._places)

    def __len__(self) -> int:
        """How many records there are now."""
        return sum(map(self._end, self._places))

    def all(self) -> Iterator[Message]:
        """Every record that is there now, from where it was read to.

        Raises:
            TimeoutError: they did not come.
        """
        left = len(self)
        while left > 0:
            first = self._consumer.poll(_PATIENCE_S)
            if first is None:
                raise TimeoutError(f"expected {left} more records of {self._topic}, found none")
            for message in (_checked(first), *self.come()):
                left -= 1
                yield message

    def come(self) -> list[Message]:
        """What has come since, without waiting."""
        return [_checked(message) for message in self._consumer.consume(_CHUNK, timeout=0)]

    def close(self) -> None:
        self._consumer.close()

    def _end(self, place: TopicPartition) -> int:
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                found = self._consumer.get_watermark_offsets(place, _PATIENCE_S, cached=False)
            except KafkaException as error:
                if error.args[0].code() not in _STILL_BEING_MADE or time.monotonic() > until:
                    raise
            else:
                return found[1] if found else 0
            time.sleep(_POLL_S)


@contextmanager
def reading(kafka: KafkaSettings, topic: str) -> Iterator[Reader]:
    """A reader, closed at the end."""
    reader = Reader(kafka, topic)
    try:
        yield reader
    finally:
        reader.close()


def wait_for(reader: Reader, number: int, stalled_s: float, writers: Sequence[Process]) -> None:
    """Return when so many records are there, or when none has come for long.

    Raises:
        Ended: a writer has ended meanwhile.
    """
    found, since = -1, time.monotonic()
    while found < number and time.monotonic() - since < stalled_s:
        now = len(reader)
        if now != found:
            found, since = now, time.monotonic()
        for writer in writers:
            writer.check(f"{number} records")
        time.sleep(_POLL_S)


def _checked(message: Message) -> Message:
    if message.error():
        raise KafkaException(message.error())
    return message
