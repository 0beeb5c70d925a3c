"""Dead letters: the bytes stay, the headers say what happened, and everything fits."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ekiben_bus.deadletters import HEADER_LIMIT, Burial, dead_letter_record
from ekiben_bus.memory import StoredRecord
from ekiben_bus.verdicts import DeadLetter, Stage

BURIAL = Burial(
    "inference-gateway", "inference-gateway/0.1.0", "t.inference-gateway.dlq", "t/inference-gateway/2/7/1"
)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def record(**fields) -> StoredRecord:
    return StoredRecord(
        **{
            "topic": "t",
            "partition": 2,
            "offset": 7,
            "timestamp": 1000,
            "key": b"k",
            "value": b"v",
            "headers": (),
            **fields,
        }
    )


def test_it_keeps_key_value_partition_and_the_headers_of_the_original():
    original = record(key=None, value=b"\x00\xff", headers=(("a", b"\xff"), ("a", b"2")))
    dead = dead_letter_record(original, DeadLetter("undecodable", "UnreadableError", "no"), BURIAL, NOW)
    assert (dead.topic, dead.partition, dead.key, dead.value) == (
        "t.inference-gateway.dlq",
        2,
        None,
        b"\x00\xff",
    )
    assert list(dead.headers[:2]) == [("a", b"\xff"), ("a", b"2")]


def test_it_names_place_reason_stage_service_and_time():
    dead = dead_letter_record(
        record(), DeadLetter("bug", "KeyError", "'x'", "stack", Stage.HANDLE), BURIAL, NOW
    )
    assert {name: value.decode() for name, value in dead.headers} == {
        "dlq-id": "t/inference-gateway/2/7/1",
        "dlq-topic": "t",
        "dlq-partition": "2",
        "dlq-offset": "7",
        "dlq-timestamp": "1000",
        "dlq-group": "inference-gateway",
        "dlq-stage": "handle",
        "dlq-reason": "bug",
        "dlq-error-class": "KeyError",
        "dlq-error-message": "'x'",
        "dlq-error-stack": "stack",
        "dlq-attempt": "1",
        "dlq-failed-at": "2026-01-02T03:04:05+00:00",
        "dlq-service": "inference-gateway/0.1.0",
    }


def test_a_second_death_replaces_the_headers_of_the_first():
    first = dead_letter_record(record(), DeadLetter("a", "A", "first"), BURIAL, NOW)
    second = dead_letter_record(
        record(headers=tuple(first.headers)), DeadLetter("b", "B", "second"), BURIAL, NOW
    )
    assert len(second.headers) == len(first.headers)
    assert dict(second.headers)["dlq-error-message"] == b"second"


@given(st.text(max_size=60_000), st.text(max_size=60_000))
def test_its_headers_stay_within_their_limit_and_the_stack_is_cut_first(message: str, stack: str):
    dead = dead_letter_record(record(), DeadLetter("bug", "E", message, stack), BURIAL, NOW)
    assert sum(len(name) + len(value) for name, value in dead.headers) <= HEADER_LIMIT
    written = dict(dead.headers)
    if written["dlq-error-stack"].decode() != "":
        assert written["dlq-error-message"].decode() == message
