"""The client of the soak, as any team has one: confluent-kafka and bare JSON, no Ekiben code."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, Producer, TopicPartition

from e2e.waiting import until
from faults.soak.ledger import Seen, Sent

ENTITIES = 40
_PATIENCE_S = 120
_BURST_S = 10.0
_STEP_S = 0.05
_BATCH = 2000


class Publisher:
    """Sends requests with sequence numbers for each key: a steady stream, bursts when told, then the rest."""

    def __init__(
        self, servers: str, topic: str, models: Sequence[str], requests: int, *, streamed: int, per_s: float
    ) -> None:
        self.sent: list[Sent] = []
        self.refused: list[KafkaError] = []
        self._topic = topic
        self._models = models
        self._left = requests
        self._streamed = streamed
        self._per_s = per_s
        self._sequences: Counter[str] = Counter()
        self._numbering = threading.Lock()
        self._finish = threading.Event()
        self._producer = Producer(
            {
                **_connection(servers),
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 2,
                # with several, librdkafka may take a batch that was refused for written: KAFKA-15591
                "max.in.flight.requests.per.connection": 1,
                "message.timeout.ms": 1000 * _PATIENCE_S,
                "reconnect.backoff.max.ms": 500,
            }
        )
        self._stream = threading.Thread(target=self._keep_streaming, name="stream", daemon=True)
        self._stream.start()

    def burst(self, count: int) -> None:
        """Send so many at once; returns as soon as the broker has acknowledged half of them.

        Or ten seconds later: where a broker has just been away, it may not acknowledge any for a while.
        """
        middle = self._send(count)

        def acknowledges() -> bool:
            self._producer.poll(0.001)
            return len(self.sent) >= middle

        with suppress(TimeoutError):
            until(acknowledges, "the acknowledgement of half a burst", _BURST_S)

    @property
    def numbered(self) -> int:
        """How many were sent, acknowledged or not."""
        return self._sequences.total()

    def close(self) -> None:
        """End the stream; what is left is not sent."""
        self._finish.set()
        self._stream.join()

    def finish(self) -> None:
        """Send what is left, and wait until the broker has acknowledged all."""
        self.close()
        while self._left:
            self._send(_BATCH)
            assert self._producer.flush(_PATIENCE_S) == 0
        assert self._producer.flush(_PATIENCE_S) == 0

    def _keep_streaming(self) -> None:
        owed = 0.0
        while not self._finish.wait(_STEP_S):
            owed = min(owed + self._per_s * _STEP_S, self._streamed)
            self._send(int(owed))
            self._streamed -= int(owed)
            owed -= int(owed)
            self._producer.poll(0)

    def _send(self, count: int) -> int:
        """The number of the request in the middle of these."""
        with self._numbering:
            count = min(count, self._left)
            self._left -= count
            for _ in range(count):
                self._send_one()
            return self.numbered - count // 2

    def _send_one(self) -> None:
        number = self.numbered
        entity = f"e{number % ENTITIES}"
        model = self._models[number // ENTITIES % len(self._models)]
        request_id = f"{entity}-{self._sequences[entity]}"
        self._sequences[entity] += 1
        request = {"request_id": request_id, "entity_id": entity, "model": model}
        value = json.dumps({**request, "features": {"x": number % 7 - 3.0, "y": float(number % 2)}})

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self.refused.append(error)
                return
            self.sent.append(Sent(request_id, model, message.partition(), message.offset(), time.time()))

        self._producer.produce(self._topic, value, entity, on_delivery=delivered)
        self._producer.poll(0)


class Listener:
    """Reads the results while they come, and notes when each request was answered first."""

    def __init__(self, servers: str, topic: str) -> None:
        self.answered_at: dict[str, float] = {}
        self._consumer = _reader(servers)
        self._consumer.assign(_places(self._consumer, topic))
        self._end = threading.Event()
        self._listening = threading.Thread(target=self._listen, name="listener", daemon=True)
        self._listening.start()

    def close(self) -> None:
        self._end.set()
        self._listening.join()
        self._consumer.close()

    def _listen(self) -> None:
        while not self._end.is_set():
            messages = self._consumer.consume(_BATCH, timeout=0.1)
            now = time.time()
            for message in messages:
                if message.error() is None:  # a broker that is away; the client goes on by itself
                    self.answered_at.setdefault(json.loads(message.value())["request_id"], now)


def read_to_the_end(servers: str, topic: str) -> Iterator[Seen]:
    """Every record that a topic has now, from the first on."""
    consumer = _reader(servers)
    places = _places(consumer, topic)
    ends = {each.partition: consumer.get_watermark_offsets(each, timeout=_PATIENCE_S)[1] for each in places}
    left = {number for number, end in ends.items() if end > 0}
    consumer.assign(places)
    try:
        while left:
            messages: list[Message] = until(
                lambda: consumer.consume(_BATCH, timeout=1.0), f"the rest of {topic}", _PATIENCE_S
            )
            for message in messages:
                if message.error() is not None:
                    continue
                yield _seen(message)
                if message.offset() + 1 >= ends[message.partition()]:
                    left.discard(message.partition())
    finally:
        consumer.close()


def _reader(servers: str) -> Consumer:
    # a group is asked for, and not used: the partitions are assigned by hand
    return Consumer({**_connection(servers), "group.id": "soak", "enable.auto.commit": False})


def _connection(servers: str) -> dict[str, Any]:
    # brokers are going to be away: nobody wants to read of each
    return {"bootstrap.servers": servers, "log_level": 2}


def _places(consumer: Consumer, topic: str) -> list[TopicPartition]:
    partitions = consumer.list_topics(topic, _PATIENCE_S).topics[topic].partitions
    return [TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions]


def _seen(message: Message) -> Seen:
    headers = dict(message.headers() or [])
    value = json.loads(message.value())
    return Seen(
        headers.get("ce_id", b"").decode(),
        value["request_id"],
        message.partition(),
        message.offset(),
        value.get("status", ""),
        message.timestamp()[1] / 1000,
    )
