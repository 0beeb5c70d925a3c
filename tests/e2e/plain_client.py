"""A Kafka client as any team has one: confluent-kafka, bare JSON, no Ekiben code."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, Producer, TopicPartition

from e2e.waiting import DEADLINE_S, until

Headers = list[tuple[str, bytes]]
REQUESTS = "ekiben.prediction-requests"
RESULTS = "ekiben.prediction-results"
SHADOW_OUTPUTS = "ekiben.shadow-outputs"
_BATCH = 1000
DEAD_LETTERS = "ekiben.prediction-requests.inference-gateway.dlq"


class PlainClient:
    """Produces to the requests and reads what comes of them, from the start of their topics."""

    def __init__(self, bootstrap_servers: str, prefix: str) -> None:
        self._address = {"bootstrap.servers": bootstrap_servers}
        self._prefix = prefix
        self.requests = prefix + REQUESTS
        self._producer = Producer({**self._address, "message.max.bytes": 5_000_000, "linger.ms": 5})

    def send(
        self,
        value: bytes | dict[str, Any] | None,
        *,
        key: str = "k",
        headers: list[tuple[str, bytes]] | None = None,
    ) -> tuple[int, int]:
        """Produce one record; the partition and offset it got.

        Raises:
            KafkaException: the broker refused it.
        """
        places: list[tuple[int, int]] = []
        refusals: list[Exception] = []

        def delivered(error: Any, message: Message) -> None:
            if error is not None:
                refusals.append(KafkaException(error))
            else:
                places.append((message.partition(), message.offset()))

        raw = json.dumps(value).encode() if isinstance(value, dict) else value
        self._producer.produce(self.requests, raw, key, headers=headers, on_delivery=delivered)
        self._producer.flush(DEADLINE_S)
        if refusals:
            raise refusals[0]
        return places[0]

    def send_many(self, requests: Iterable[dict[str, Any]]) -> None:
        """Produce requests, keyed by their entities."""
        for request in requests:
            self._producer.poll(0)
            self._producer.produce(self.requests, json.dumps(request), request["entity_id"])
        assert self._producer.flush(DEADLINE_S) == 0

    def results(self, request_ids: Iterable[str]) -> dict[str, list[Message]]:
        """Every record of the results topic for these requests, once each of them has at least one."""
        return self._about(RESULTS, request_ids)

    def shadowed(self, request_ids: Iterable[str]) -> dict[str, list[Message]]:
        """The same of what shadow versions answered."""
        return self._about(SHADOW_OUTPUTS, request_ids)

    def _about(self, topic: str, request_ids: Iterable[str]) -> dict[str, list[Message]]:
        wanted = set(request_ids)
        found: dict[str, list[Message]] = {}

        def take(message: Message) -> bool:
            request_id = json.loads(message.value())["request_id"]
            if request_id in wanted:
                found.setdefault(request_id, []).append(message)
            return found.keys() == wanted

        self._read(topic, take, f"records of {topic} about {len(wanted)} requests")
        return found

    def result(self, request_id: str) -> dict[str, Any]:
        """The first result of a request."""
        return json.loads(self.results([request_id])[request_id][0].value())

    def answers(self, request_id: str, count: int) -> dict[str, dict[str, Any]]:
        """The results of a request by their ids, once there are so many."""
        found: dict[str, dict[str, Any]] = {}

        def take(message: Message) -> bool:
            result = json.loads(message.value())
            if result["request_id"] == request_id:
                found[dict(message.headers() or [])["ce_id"].decode()] = result
            return len(found) >= count

        self._read(RESULTS, take, f"{count} results of {request_id}")
        return found

    def dead_letter(self, partition: int, offset: int) -> Message:
        """The dead letter of the request at this place."""
        found: list[Message] = []
        place = {"dlq-partition": str(partition).encode(), "dlq-offset": str(offset).encode()}

        def take(message: Message) -> bool:
            if place.items() <= dict(message.headers() or []).items():
                found.append(message)
            return bool(found)

        self._read(DEAD_LETTERS, take, f"the dead letter of {partition}/{offset}")
        return found[0]

    def _read(self, topic: str, take: Any, what: str) -> None:
        consumer = Consumer(
            {
                **self._address,
                "group.id": "plain",  # asked for, and not used: the partitions are assigned by hand
                "enable.auto.commit": False,
                "fetch.message.max.bytes": 5_000_000,
            }
        )
        partitions = (
            consumer.list_topics(self._prefix + topic, DEADLINE_S).topics[self._prefix + topic].partitions
        )
        consumer.assign([TopicPartition(self._prefix + topic, each, OFFSET_BEGINNING) for each in partitions])

        def look() -> bool:
            for message in consumer.consume(_BATCH, timeout=1.0):
                if message.error():
                    raise KafkaException(message.error())
                if take(message):
                    return True
            return False

        try:
            until(look, what)
        finally:
            consumer.close()
