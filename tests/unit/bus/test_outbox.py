"""The outbox: what a batch publishes and finishes, decided without a broker."""

import json
from datetime import UTC, datetime

import pytest
from aiokafka import TopicPartition

from ekiben_bus.deciding import Decider
from ekiben_bus.lanes import lanes
from ekiben_bus.memory import StoredRecord
from ekiben_bus.naming import Naming
from ekiben_bus.outbox import Author, OutputTooLargeError, Packer, write
from ekiben_bus.verdicts import DeadLetter, Emit, Hold, Outgoing
from ekiben_contracts.prediction import FailureCode, PredictionFailed
from ekiben_contracts.topics import GATEWAY, PREDICTION_REQUESTS, PREDICTION_RESULTS, RECORD_LIMIT

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MAIN = lanes(PREDICTION_REQUESTS, GATEWAY, Naming("test."), (5, 60, 600))[0]
AUTHOR = Author("inference-gateway", "0.1.0", Naming("test."))


async def unused(batch):
    raise AssertionError("nothing asks the handler here")


def decider(on_failure=lambda failure: DeadLetter("x", "X", "x")) -> Decider:
    return Decider(PREDICTION_REQUESTS, "inference-gateway", unused, on_failure)


def record(partition: int, offset: int, key: bytes | None = b"k") -> StoredRecord:
    return StoredRecord("test.ekiben.prediction-requests", partition, offset, 0, key, b"{}", ())


def outgoing(name: str, message: str = "m", key: bytes | None = None) -> Outgoing:
    event = PredictionFailed(
        request_id=name,
        model="m",
        entity_id="e9",
        code=FailureCode.INTERNAL,
        message=message,
        retryable=False,
        failed_at=NOW,
    )
    return Outgoing(PREDICTION_RESULTS, event, f"{name}/result/1", key)


def pack(records, verdicts, lane=MAIN, **options):
    return Packer(PREDICTION_REQUESTS, lane, AUTHOR, decider(**options)).pack(records, records, verdicts, NOW)


def place(partition: int) -> TopicPartition:
    return TopicPartition("test.ekiben.prediction-requests", partition)


def test_every_answered_partition_is_finished_after_its_last_record():
    outbox = pack([record(0, 4), record(0, 5), record(2, 9)], [Emit(), Emit((outgoing("a"),)), Emit()])
    assert outbox.finished == {place(0): 6, place(2): 10}
    assert [r.topic for r in outbox.records] == ["test.ekiben.prediction-results"]


def test_a_held_record_stops_its_partition_and_no_other():
    outbox = pack(
        [record(0, 4), record(0, 5), record(1, 7), record(0, 6)],
        [Emit((outgoing("a"),)), Hold("away"), Emit((outgoing("b"),)), Emit((outgoing("c"),))],
    )
    assert outbox.finished == {place(0): 5, place(1): 8}
    assert outbox.held == {place(0): "away"}
    assert [json.loads(r.value)["request_id"] for r in outbox.records] == ["a", "b"]


def test_an_output_takes_key_and_partition_of_its_input():
    written = write(outgoing("a"), AUTHOR, NOW, record(3, 1, key=b"\xffown"))
    assert (written.key, written.partition) == (b"\xffown", 3)


def test_an_output_of_an_input_without_key_is_keyed_by_its_entity():
    written = write(outgoing("a"), AUTHOR, NOW, record(3, 1, key=None))
    assert (written.key, written.partition) == (b"e9", 3)


def test_an_output_with_its_own_key_goes_where_that_key_belongs():
    written = write(outgoing("a", key=b"model/x"), AUTHOR, NOW, record(3, 1))
    assert (written.key, written.partition) == (b"model/x", None)


def test_an_event_that_nothing_caused_is_keyed_by_its_entity():
    assert write(outgoing("a"), AUTHOR, NOW).key == b"e9"


def test_an_output_too_large_is_refused_before_the_broker_would():
    with pytest.raises(OutputTooLargeError, match="expected at most 1048576 bytes"):
        write(outgoing("a", message="x" * RECORD_LIMIT), AUTHOR, NOW, record(0, 0))


def test_the_services_answer_to_an_output_too_large_is_published():
    small = DeadLetter("internal", "OutputTooLargeError", "too large", outgoing=(outgoing("small"),))
    outbox = pack(
        [record(0, 0)], [Emit((outgoing("big", "x" * RECORD_LIMIT),))], on_failure=lambda failure: small
    )
    assert [r.topic.removeprefix("test.ekiben.") for r in outbox.records] == [
        "prediction-results",
        "prediction-requests.inference-gateway.dlq",
    ]
    assert outbox.dead_letters == 1


def test_an_answer_that_is_too_large_itself_leaves_the_dead_letter_alone():
    still_big = DeadLetter("internal", "E", "e", outgoing=(outgoing("big", "x" * RECORD_LIMIT),))
    outbox = pack(
        [record(0, 0)], [Emit((outgoing("big", "x" * RECORD_LIMIT),))], on_failure=lambda failure: still_big
    )
    assert [r.topic.removeprefix("test.ekiben.") for r in outbox.records] == [
        "prediction-requests.inference-gateway.dlq"
    ]
    assert outbox.finished == {place(0): 1}


def test_what_cannot_be_written_as_json_costs_its_record_alone():
    broken = PredictionFailed.assemble({**outgoing("b").event.__dict__, "message": "half a pair: \ud800"})
    outbox = pack(
        [record(0, 4), record(0, 5), record(0, 6)],
        [
            Emit((outgoing("a"),)),
            Emit((outgoing("half"), Outgoing(PREDICTION_RESULTS, broken, "b/result/1"))),
            Emit((outgoing("c"),)),
        ],
    )
    assert outbox.finished == {place(0): 7}
    assert outbox.dead_letters == 1
    names = [dict(found.headers).get("ce_id", b"").decode() for found in outbox.records]
    assert "a/result/1" in names
    assert "c/result/1" in names
    assert "half/result/1" not in names, "all of what a record causes is published, or nothing"
