"""Dead letters for tests, as records and as people see them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from aiokafka import TopicPartition

from ekiben.dead_letters.graves import Grave, graves
from ekiben.dead_letters.letter import parse
from ekiben_bus.memory import StoredRecord
from ekiben_bus.naming import Naming
from ekiben_contracts.identity import dead_letter_id
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS

NOW = datetime(2013, 3, 1, 12, tzinfo=UTC)
THE_DAY_BEFORE = NOW - timedelta(days=1)
PAYLOAD = {
    "request_id": "r1",
    "model": "delay",
    "entity_id": "UA-1545",
    "features": {"carrier": "ua", "hour": 5},
    "unknown": [1, 2.5, None],
}


def grave() -> Grave:
    """Of the gateway's requests."""
    (found,) = graves(Naming(), PREDICTION_REQUESTS.name, GATEWAY)
    return found


def letter_id(offset: int = 41, attempt: int = 1, partition: int = 3) -> str:
    return dead_letter_id(PREDICTION_REQUESTS.name, GATEWAY, partition, offset, attempt)


def headers(
    offset: int = 41, attempt: int = 1, partition: int = 3, original=(("original", b"\xff"),), **said: str
) -> list[tuple[str, bytes]]:
    """The headers of a dead letter; `said` replaces what they say."""
    fields = {
        "id": letter_id(offset, attempt, partition),
        "topic": PREDICTION_REQUESTS.name,
        "group": GATEWAY,
        "partition": str(partition),
        "offset": str(offset),
        "timestamp": "1362139200000",
        "stage": "handle",
        "reason": "unknown-model",
        "error-class": "UnknownModelError",
        "error-message": "expected a routed model",
        "error-stack": "Traceback …",
        "attempt": str(attempt),
        "failed-at": (THE_DAY_BEFORE + timedelta(minutes=offset)).isoformat(),
        "service": "inference-gateway/0.1.0",
        **{name.replace("_", "-"): text for name, text in said.items()},
    }
    return [*original, *((f"dlq-{name}", text.encode()) for name, text in fields.items())]


def payload(**fields) -> bytes:
    return json.dumps({**PAYLOAD, **fields}).encode()


def record(value: bytes | None = None, key: bytes | None = b"UA-1545", **said) -> StoredRecord:
    """A dead letter as it is on its topic."""
    kept = payload() if value is None else value
    return StoredRecord(grave().dead_letters, said.get("partition", 3), 0, 0, key, kept, headers(**said))


def letter(value: bytes | None = None, **said):
    """A dead letter as people see it."""
    return parse(record(value, **said))


def bury(cluster, value: bytes | None = None, key: bytes | None = b"UA-1545", **said) -> str:
    """Put a dead letter on its topic; its id."""
    dead = record(value, key, **said)
    cluster.append(TopicPartition(dead.topic, dead.partition), [(dead.key, dead.value, dead.headers)])
    return parse(dead).id


def records(cluster, topic: str) -> list[StoredRecord]:
    """All that is on a topic."""
    places = [TopicPartition(topic, partition) for partition in range(cluster.partitions[topic])]
    return [record for place in places for record in cluster.log(place).records]
