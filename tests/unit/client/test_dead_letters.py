"""Dead letters as people look at them."""

from __future__ import annotations

from datetime import UTC, datetime

from aiokafka import TopicPartition

from ekiben_contracts.topics import MODEL_OUTPUTS, PREDICTION_REQUESTS, dead_letter_topic

NOW = datetime(2013, 3, 1, 12, tzinfo=UTC)


def headers(dead_letter_id, group="inference-gateway"):
    fields = {
        "id": dead_letter_id,
        "topic": PREDICTION_REQUESTS.name,
        "group": group,
        "partition": "3",
        "offset": "41",
        "timestamp": str(int(NOW.timestamp() * 1000)),
        "stage": "decode",
        "reason": "undecodable",
        "error-class": "UnreadableError",
        "error-message": "expected JSON",
        "error-stack": "Traceback …",
        "attempt": "1",
        "failed-at": NOW.isoformat(),
        "service": "inference-gateway/0.1.0",
    }
    return [("original", b"\xff"), *((f"dlq-{name}", value.encode()) for name, value in fields.items())]


def put(
    cluster, headers, *, value=b"\xff", topic=PREDICTION_REQUESTS, group="inference-gateway", partition=3
):
    name = dead_letter_topic(topic.name, group)
    cluster.append(TopicPartition(name, partition), [(b"key", value, headers)])


async def test_a_dead_letter_is_read_with_all_that_was_said_of_it(cluster, ekiben):
    put(cluster, headers("x/1"))
    (letter,) = [letter async for letter in ekiben.dead_letters()]
    assert (letter.id, letter.topic, letter.group) == ("x/1", PREDICTION_REQUESTS.name, "inference-gateway")
    assert (letter.partition, letter.offset, letter.recorded_at) == (3, 41, NOW)
    assert (letter.reason, letter.error_class, letter.attempt) == ("undecodable", "UnreadableError", 1)
    assert (letter.key, letter.value, letter.headers) == (b"key", b"\xff", (("original", b"\xff"),))


async def test_one_written_twice_is_told_once(cluster, ekiben):
    for dead_letter_id in ("x/1", "x/2", "x/1"):
        put(cluster, headers(dead_letter_id))
    assert [letter.id async for letter in ekiben.dead_letters()] == ["x/1", "x/2"]


async def test_those_of_every_topic_and_group_are_found(cluster, ekiben):
    put(cluster, headers("x/1"))
    put(cluster, headers("y/1", group="synthesizer"), topic=MODEL_OUTPUTS, group="synthesizer", partition=0)
    assert {letter.id async for letter in ekiben.dead_letters()} == {"x/1", "y/1"}
    assert {letter.id async for letter in ekiben.dead_letters(group="synthesizer")} == {"y/1"}
    assert {letter.id async for letter in ekiben.dead_letters(topic=PREDICTION_REQUESTS.name)} == {"x/1"}


async def test_one_whose_headers_are_broken_is_not_hidden(cluster, ekiben):
    put(cluster, [("dlq-id", b"\xff"), ("dlq-offset", b"many")], partition=1)
    (letter,) = [letter async for letter in ekiben.dead_letters()]
    assert (letter.id, letter.partition, letter.offset, letter.reason) == ("\\xff", 1, 0, "")
