import pytest

from ekiben_bus.brokers.diagnosis import advice, last_lines


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        (
            "KafkaException: Failed to acquire lock on file .lock in /data",
            "another broker works on this folder",
        ),
        (
            "KafkaException: Socket server failed to bind to 127.0.0.1:9092",
            "another program listens on its port",
        ),
        ("java.lang.OutOfMemoryError: Java heap space", "the heap is too small"),
        ("java.io.IOException: No space left on device", "the disk is full"),
    ],
)
def test_a_known_cause_in_the_log_names_its_mend(line, mend):
    assert mend in advice(["INFO before", line, "INFO after"])


def test_an_unknown_cause_points_to_the_log():
    assert "read the log" in advice(["INFO nothing of note"])


def test_the_last_lines_are_the_last_even_of_a_long_log(tmp_path):
    log = tmp_path / "kafka.log"
    log.write_text("".join(f"line {number}\n" for number in range(100_000)))
    assert last_lines(log, 2) == ["line 99998", "line 99999"]


def test_a_log_that_was_never_written_has_no_lines(tmp_path):
    assert last_lines(tmp_path / "absent.log") == []
