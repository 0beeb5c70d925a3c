"""One small jar of the lock, fetched from a real Maven repository."""

import dataclasses
import hashlib

import pytest

from ekiben_bus.brokers.errors import JarsError
from ekiben_bus.brokers.jars import Jar, locked, resolve

KEPT = b"the jar of Kafka itself: there already"


@pytest.fixture
def kafka(tmp_path) -> Jar:
    jar = Jar("org.apache.kafka", "kafka_2.13", "4.3.0", hashlib.sha256(KEPT).hexdigest())
    folder = tmp_path / "kafka-4.3.0"
    folder.mkdir()
    (folder / jar.filename).write_bytes(KEPT)
    return jar


@pytest.fixture
def small() -> Jar:
    return next(jar for jar in locked() if jar.artifact == "jspecify")


def test_a_missing_jar_is_fetched_once_and_that_is_told(tmp_path, kafka, small):
    said: list[str] = []
    folder = resolve([kafka, small], tmp_path, said.append)
    assert hashlib.sha256((folder / small.filename).read_bytes()).hexdigest() == small.sha256
    assert said == [f"fetching Apache Kafka, 1 jars, to keep in {folder}"]
    resolve([kafka, small], tmp_path, said.append)
    assert len(said) == 1


def test_a_fetched_jar_with_another_sum_is_refused_and_never_kept(tmp_path, kafka, small):
    expected = "0" * 64
    forged = dataclasses.replace(small, sha256=expected)
    with pytest.raises(JarsError, match=f"expected SHA-256 {expected}, found {small.sha256}"):
        resolve([kafka, forged], tmp_path)
    assert [path.name for path in tmp_path.rglob("*.jar")] == [kafka.filename]


def test_a_jar_that_no_repository_has_is_named(tmp_path, kafka):
    absent = Jar("org.apache.kafka", "kafka-clients", "0.0.0-absent", "0" * 64)
    with pytest.raises(JarsError, match=r":kafka-clients:0\.0\.0-absent: expected to fetch it"):
        resolve([kafka, absent], tmp_path)
